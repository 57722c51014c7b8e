import { SparcError } from '@sparc/protocol/errors';
import { comset, isSamePlace, type ComsetResult } from './comset.js';
import type { OsdpBus } from './osdp-bus.js';
import type { Place } from './plan.js';
import { commandStranger, type Stranger } from './stranger.js';

const ASK_PAUSE_MS = 250;
const ASKS_MAX = 8;

export interface SetAddressRequest extends Stranger {
  readonly newAddress: number;
}

/**
 * COMSET of one PD, as it was discovered, to a free address and to the rate of the bus. The result says where it is, proven
 * by its answer there. Rejects with a SparcError where nothing was sent: ERR_BUS_ADDRESS_TAKEN (also where somebody answers
 * at the new address already), those of `commandStranger`.
 */
export async function setAddress(bus: OsdpBus, request: SetAddressRequest): Promise<ComsetResult> {
  const { address, baudRate, newAddress } = request;
  const old: Place = { address, baudRate };
  const wanted: Place = { address: newAddress, baudRate: bus.baudRate };
  const planned = bus.deviceAt(old);
  if (planned?.online === true) return comset(bus, planned.deviceId, { address: newAddress });
  if (isSamePlace(old, wanted)) return { kind: 'moved', ...wanted };
  if (await isAnswered(bus, wanted)) {
    const message = `somebody answers at address ${newAddress} already`;
    throw new SparcError('ERR_BUS_ADDRESS_TAKEN', message, { address: newAddress });
  }
  return move(bus, request, old, wanted);
}

async function move(bus: OsdpBus, stranger: Stranger, old: Place, wanted: Place): Promise<ComsetResult> {
  const told = await tell(bus, stranger, wanted);
  // It says where it goes; where it says nothing it may be at either place.
  for (const place of told.place === undefined ? [wanted, old] : [told.place, old]) {
    if (!(await isAnsweredSoon(bus, place))) continue;
    if (isSamePlace(place, wanted)) return { kind: 'moved', ...place };
    if (isSamePlace(place, old)) return { kind: 'kept', ...old, code: 'ERR_BUS_COMSET_UNDONE', message: told.message };
    await tell(bus, { ...stranger, ...place }, old);
    if (await isAnsweredSoon(bus, old)) {
      const message = `it went to address ${place.address} at ${place.baudRate} baud and was sent back`;
      return { kind: 'kept', ...old, code: 'ERR_BUS_COMSET_UNDONE', message };
    }
  }
  const message = `it answers neither at address ${wanted.address} nor at ${old.address}`;
  return { kind: 'lost', ...old, code: 'ERR_BUS_COMSET_LOST', message };
}

/** COMSET. Its reply may be lost although it took effect, so silence is no error. */
async function tell(
  bus: OsdpBus,
  stranger: Stranger,
  place: Place,
): Promise<{ readonly place?: Place; readonly message: string }> {
  try {
    const reply = await commandStranger(bus, stranger, { name: 'COMSET', ...place });
    if (reply.name !== 'COM') return { message: `it answers COMSET by ${reply.name}` };
    return { place: { address: reply.address, baudRate: reply.baudRate }, message: 'it keeps its address' };
  } catch (error) {
    const isLost =
      error instanceof SparcError && (error.code === 'ERR_OSDP_SILENT' || error.code === 'ERR_OSDP_GARBLED');
    if (!isLost) throw error;
    return { message: error.message };
  }
}

async function isAnsweredSoon(bus: OsdpBus, place: Place): Promise<boolean> {
  for (let asks = 0; asks < ASKS_MAX; asks++) {
    if (await isAnswered(bus, place)) return true;
    if (await bus.until(() => isOnline(bus, place), ASK_PAUSE_MS)) return true;
  }
  return false;
}

async function isAnswered(bus: OsdpBus, place: Place): Promise<boolean> {
  if (isOnline(bus, place)) return true;
  const result = await bus.exchange({ ...place, command: { name: 'ID', type: 0 } });
  return result.kind !== 'silent';
}

/** The device of the plan that belongs there has taken over. */
function isOnline(bus: OsdpBus, place: Place): boolean {
  return bus.deviceAt(place)?.online === true;
}
