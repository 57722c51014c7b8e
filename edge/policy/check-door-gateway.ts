import { PlanBuses, type WiredPart, type WiredPlan } from '@sparc/protocol/policy';

/** A door that no gateway could serve as it is planned. */
export interface SplitDoor {
  readonly doorId: string;
  readonly message: string;
}

/**
 * Doors that a gateway with these buses drives, and of which it would not hear or reach a part: an exit request, a
 * contact, a reader or an airlock works without the network, or not at all.
 */
export function splitDoors(plan: WiredPlan, busIds: readonly string[]): SplitDoor[] {
  const buses = new PlanBuses(plan);
  const isHere = (part: WiredPart, id: string) => busIds.includes(buses.of(part, id) ?? '');
  const own = plan.doors.filter(({ id }) => isHere('door', id));
  return own.flatMap((door) => {
    const ports = [
      ['input', 'contact', door.contact?.input],
      ['input', 'exit request', door.exitRequest?.input],
      ['output', 'shunt', door.shunt?.output],
      ['output', 'double lock', door.doubleLock?.output],
      ...plan.accessPoints
        .filter((point) => point.door === door.id)
        .map(({ reader }) => ['reader', 'reader', reader] as const),
    ] as const;
    const parts = ports.flatMap(([part, what, id]) =>
      id === undefined || isHere(part, id) ? [] : [`its ${what} \`${id}\``],
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
