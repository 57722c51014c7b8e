import type { SitePlan } from '@sparc/protocol/policy';

/** A device that is to get a bundle, and what would suffer with it. */
export interface Recipient {
  readonly deviceId: string;
  readonly busId: string;
  /** Doors whose readers, outputs, contact or exit request hang on it. */
  readonly doorIds: readonly string[];
  /** Doors whose locks or exit request hang on it: without it nobody is let out by the gateway. */
  readonly outageDoorIds: readonly string[];
}

/** Undefined for a device that the plan does not know. */
export function recipientOf(plan: SitePlan, deviceId: string): Recipient | undefined {
  const device = plan.devices.find(({ id }) => id === deviceId);
  if (device === undefined) return undefined;
  const on = (parts: readonly { readonly id: string; readonly device: string }[]) =>
    new Set(parts.filter((part) => part.device === deviceId).map(({ id }) => id));
  const readers = on(plan.readers);
  const inputs = on(plan.inputs);
  const outputs = on(plan.outputs);
  const readDoors = plan.accessPoints.filter(({ reader }) => readers.has(reader)).map(({ door }) => door);
  const outage = plan.doors.filter(({ lock, doubleLock, exitRequest }) => {
    const isOutput = outputs.has(lock.output) || outputs.has(doubleLock?.output ?? '');
    return isOutput || inputs.has(exitRequest?.input ?? '');
  });
  const wired = plan.doors.filter((door) => {
    const { contact, shunt } = door;
    return outage.includes(door) || inputs.has(contact?.input ?? '') || outputs.has(shunt?.output ?? '');
  });
  return {
    deviceId,
    busId: device.bus,
    doorIds: [...new Set([...readDoors, ...wired.map(({ id }) => id)])],
    outageDoorIds: outage.map(({ id }) => id),
  };
}

/**
 * Which of those that wait may begin now: one a bus, because they share its time, and none at a door at which another is
 * under way, so that a door with two readers always has one.
 */
export function mayBegin(waiting: readonly Recipient[], running: readonly Recipient[]): Recipient[] {
  const begun: Recipient[] = [];
  for (const candidate of waiting) {
    const busy = [...running, ...begun];
    const shares = busy.some(
      ({ busId, doorIds }) => busId === candidate.busId || doorIds.some((id) => candidate.doorIds.includes(id)),
    );
    if (!shares) begun.push(candidate);
  }
  return begun;
}
