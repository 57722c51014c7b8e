import { SparcError } from '@sparc/protocol/errors';
import { comset, type ComsetResult } from './comset.js';
import type { OsdpBus } from './osdp-bus.js';
import { busPlanProblem } from './poll-period.js';

export interface BusSpeedResult {
  /** The bus has the new rate, and so have all its devices; otherwise it has its old one. */
  readonly changed: boolean;
  /** By device id: where each is now. */
  readonly devices: ReadonlyMap<string, ComsetResult>;
}

export interface BusSpeedProgress {
  /** For people, such as `front-reader to 38400 baud`. */
  readonly step: string;
  /** 0 to 1. */
  readonly progress: number;
}

/**
 * COMSET of every device of a bus, one after the other, then of the bus. Each must answer at the new rate before the next
 * is touched, and is polled at its own rate meanwhile, so nobody is out of reach at any time. Unless all follow, those that
 * did are sent back. Rejects with a SparcError before anything is sent: ERR_BUS_RATE_FIXED, ERR_BUS_POLL_PERIOD,
 * ERR_BUS_DEVICE_OFFLINE (it would be out of reach afterwards).
 */
export async function setBusSpeed(
  bus: OsdpBus,
  baudRate: number,
  onProgress: (progress: BusSpeedProgress) => void = () => undefined,
): Promise<BusSpeedResult> {
  const old = bus.baudRate;
  const ids = bus.devices.map(({ deviceId }) => deviceId);
  assertChangeable(bus, baudRate);
  const results = new Map<string, ComsetResult>();
  for (const [index, deviceId] of ids.entries()) {
    onProgress({ step: `${deviceId} to ${baudRate} baud`, progress: index / ids.length });
    const result = await comset(bus, deviceId, { baudRate });
    results.set(deviceId, result);
    if (result.kind === 'moved') continue;
    for (const movedId of ids.slice(0, index).reverse()) {
      onProgress({ step: `${movedId} back to ${old} baud`, progress: index / ids.length });
      const back = await comset(bus, movedId, { baudRate: old });
      results.set(movedId, back.kind === 'moved' ? { ...result, ...back, kind: 'kept' } : back);
    }
    return { changed: false, devices: results };
  }
  bus.changeBaudRate(baudRate);
  onProgress({ step: 'done', progress: 1 });
  return { changed: true, devices: results };
}

function assertChangeable(bus: OsdpBus, baudRate: number): void {
  bus.assertRate(baudRate);
  const { busId, devices } = bus;
  const problem = busPlanProblem(
    devices.map(({ plan }) => plan),
    baudRate,
  );
  if (problem !== undefined) throw new SparcError(problem.code, `${busId}: ${problem.message}`, { busId, baudRate });
  const away = devices.filter(({ online }) => !online).map(({ deviceId }) => deviceId);
  if (away.length === 0) return;
  const message = `${away.join(', ')} would be out of reach afterwards: bring it back, or take it out of the plan`;
  throw new SparcError('ERR_BUS_DEVICE_OFFLINE', message, { busId, devices: away });
}
