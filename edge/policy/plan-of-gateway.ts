import type { SitePlan } from '@sparc/protocol/policy';

/**
 * What of a site is a gateway's own to serve: the devices on its buses, and the doors whose lock they drive. Areas,
 * schedules, card formats and linkage rules are everybody's.
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
  };
}

const idsOf = (list: readonly { readonly id: string }[]): ReadonlySet<string> => new Set(list.map(({ id }) => id));
