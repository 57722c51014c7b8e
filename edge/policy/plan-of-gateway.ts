import type { LinkageAction, LinkageRule, SitePlan } from '@sparc/protocol/policy';

/**
 * What of a site is a gateway's own to serve: the devices on its buses, and the doors whose lock they drive. Areas,
 * schedules and card formats are everybody's.
 */
export function planOfGateway(plan: SitePlan, busIds: readonly string[]): SitePlan {
  const devices = plan.devices.filter(({ bus }) => busIds.includes(bus));
  const deviceIds = idsOf(devices);
  const isHere = ({ device }: { readonly device: string }) => deviceIds.has(device);
  const [readers, inputs, outputs] = [
    plan.readers.filter(isHere),
    plan.inputs.filter(isHere),
    plan.outputs.filter(isHere),
  ];
  const [readerIds, outputIds] = [idsOf(readers), idsOf(outputs)];
  const doors = plan.doors.filter(({ lock }) => outputIds.has(lock.output));
  const doorIds = idsOf(doors);
  return {
    ...plan,
    devices,
    readers,
    inputs,
    outputs,
    doors,
    accessPoints: plan.accessPoints.filter(({ door, reader }) => doorIds.has(door) && readerIds.has(reader)),
    linkageRules: rulesOf(plan.linkageRules ?? [], { outputIds, doorIds }),
  };
}

/**
 * A boundary of a schedule comes at every gateway, and each does its own part of what follows. What one gateway alone
 * hears, it carries out alone, and what it cannot reach is recorded as failed.
 */
function rulesOf(rules: readonly LinkageRule[], own: Own): LinkageRule[] {
  return rules.flatMap((rule) => {
    if (!rule.when.every((trigger) => 'schedule' in trigger)) return [rule];
    const then = rule.then.filter((action) => actsHere(action, own));
    return then.length === 0 ? [] : [{ ...rule, then }];
  });
}

interface Own {
  readonly outputIds: ReadonlySet<string>;
  readonly doorIds: ReadonlySet<string>;
}

function actsHere(action: LinkageAction, { outputIds, doorIds }: Own): boolean {
  if ('output' in action) return outputIds.has(action.output);
  return 'door' in action ? doorIds.has(action.door) : true;
}

const idsOf = (list: readonly { readonly id: string }[]): ReadonlySet<string> => new Set(list.map(({ id }) => id));
