import type { SitePlan } from '@sparc/protocol/policy';

/** A door that no gateway could serve as it is planned. */
export interface SplitDoor {
  readonly doorId: string;
  readonly message: string;
}

type DoorPlan = Pick<SitePlan, 'devices' | 'readers' | 'inputs' | 'outputs' | 'doors' | 'accessPoints'>;

/**
 * Doors that a gateway with these buses drives, and of which it would not hear or reach a part: an exit request, a
 * contact, a reader or an airlock works without the network, or not at all.
 */
export function splitDoors(plan: DoorPlan, busIds: readonly string[]): SplitDoor[] {
  const busOf = new Map(plan.devices.map(({ id, bus }) => [id, bus]));
  const isHere = ({ device }: { readonly device: string }) => busIds.includes(busOf.get(device) ?? '');
  const idsHere = (list: readonly { readonly id: string; readonly device: string }[]) =>
    new Set(list.filter(isHere).map(({ id }) => id));
  const [readers, inputs, outputs] = [idsHere(plan.readers), idsHere(plan.inputs), idsHere(plan.outputs)];
  const own = plan.doors.filter(({ lock }) => outputs.has(lock.output));
  return own.flatMap((door) => {
    const ports = [
      [inputs, 'contact', door.contact?.input],
      [inputs, 'exit request', door.exitRequest?.input],
      [outputs, 'shunt', door.shunt?.output],
      [outputs, 'double lock', door.doubleLock?.output],
      ...plan.accessPoints
        .filter((point) => point.door === door.id)
        .map(({ reader }) => [readers, 'reader', reader] as const),
    ] as const;
    const parts = ports.flatMap(([here, what, id]) =>
      id === undefined || here.has(id) ? [] : [`its ${what} \`${id}\``],
    );
    const peers = plan.doors.filter(
      (other) => !own.includes(other) && other.interlocks?.some((name) => door.interlocks?.includes(name)) === true,
    );
    return [...parts, ...peers.map(({ id }) => `door \`${id}\` of its airlock`)].map((part) => ({
      doorId: door.id,
      message: `has its lock on a bus of this gateway, and ${part} on none`,
    }));
  });
}
