import type { ErrorCode } from '@sparc/protocol/errors';
import type { OsdpBus } from './osdp-bus.js';
import type { Place } from './plan.js';

/** Where a PD is after COMSET, proven by its answer there. */
export type ComsetResult =
  | ({ readonly kind: 'moved' } & Place)
  /** Where it was. */
  | ({ readonly kind: 'kept'; readonly code: ErrorCode; readonly message: string } & Place)
  /** Neither where it should be nor where it was: look for it by discovery. The place is the one that it had. */
  | ({ readonly kind: 'lost'; readonly code: ErrorCode; readonly message: string } & Place);

/** A PD answers at its new place, or at its old one, within this. */
export const ANSWER_WITHIN_MS = 5_000;
const COMMAND_TTL_MS = 2_000;

/**
 * COMSET of a device of the plan inside its session. It is followed to its new place; where it does not answer there it is
 * looked for at its old one, and where it took only a part it is sent back. Without an error: whatever happens, the result
 * says where the device is, and it is polled there. Rejects with SparcError ERR_BUS_ADDRESS_TAKEN or ERR_BUS_RATE_FIXED.
 */
export async function comset(bus: OsdpBus, deviceId: string, change: Partial<Place>): Promise<ComsetResult> {
  const device = bus.device(deviceId);
  const old = bus.placeOf(device);
  const wanted: Place = { ...old, ...change };
  bus.assertRate(wanted.baudRate);
  bus.assertFree(wanted, deviceId);
  const outcome = await bus.send(
    deviceId,
    { name: 'COMSET', ...wanted },
    { priority: 'urgent', ttlMs: COMMAND_TTL_MS },
  );
  if (outcome.kind === 'notExecuted') {
    const message = `${deviceId} did not take COMSET: ${outcome.detail ?? outcome.reason}`;
    return { kind: 'kept', ...old, code: outcome.reason, message };
  }
  // After COM the bus has followed to where the device says it goes; after silence that is to be tried.
  if (outcome.kind === 'unknown') bus.configure(deviceId, wanted);
  if (await answers(bus, deviceId)) {
    const place = bus.placeOf(device);
    if (isSamePlace(place, wanted)) return { kind: 'moved', ...place };
    return sendBack(bus, deviceId, old, place);
  }
  bus.configure(deviceId, old);
  if (await answers(bus, deviceId)) {
    const message = `${deviceId} does not answer at its new place and is where it was`;
    return { kind: 'kept', ...old, code: 'ERR_BUS_COMSET_UNDONE', message };
  }
  return lost(deviceId, old, wanted);
}

/** It took a part of what it was told, such as an address without the rate. */
async function sendBack(bus: OsdpBus, deviceId: string, old: Place, place: Place): Promise<ComsetResult> {
  const message = `${deviceId} went to address ${place.address} at ${place.baudRate} baud instead`;
  if (!isSamePlace(place, old)) {
    await bus.send(deviceId, { name: 'COMSET', ...old }, { priority: 'urgent', ttlMs: COMMAND_TTL_MS });
    bus.configure(deviceId, old);
    if (!(await answers(bus, deviceId))) return lost(deviceId, old, place);
  }
  return { kind: 'kept', ...old, code: 'ERR_BUS_COMSET_UNDONE', message };
}

function lost(deviceId: string, old: Place, wanted: Place): ComsetResult {
  const places = `address ${wanted.address} at ${wanted.baudRate} baud, nor ${old.address} at ${old.baudRate}`;
  return { kind: 'lost', ...old, code: 'ERR_BUS_COMSET_LOST', message: `${deviceId} answers at neither ${places}` };
}

function answers(bus: OsdpBus, deviceId: string): Promise<boolean> {
  const device = bus.device(deviceId);
  return bus.until(() => device.online, ANSWER_WITHIN_MS);
}

export const isSamePlace = (a: Place, b: Place) => a.address === b.address && a.baudRate === b.baudRate;
