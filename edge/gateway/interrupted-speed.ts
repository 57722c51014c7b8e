import { comset, type OsdpBus } from '@sparc/firmware-bridges/osdp';

/** A device that is there answers one of the first probes, which come after 1, 2 and 4 s at most. */
const ANSWER_WITHIN_MS = 6_000;

/**
 * A gateway that ended while it changed the speed of a bus left some of its devices at `tried`: those that do not answer
 * are looked for there and brought back. True when each has been found: nothing of the attempt is left.
 */
export async function finishSpeedChange(bus: OsdpBus, tried: number): Promise<boolean> {
  const found = await Promise.all(bus.devices.map(({ deviceId }) => bringBack(bus, deviceId, tried)));
  return found.every((each) => each);
}

async function bringBack(bus: OsdpBus, deviceId: string, tried: number): Promise<boolean> {
  const { baudRate } = bus;
  if (await answers(bus, deviceId)) return true;
  bus.configure(deviceId, { baudRate: tried });
  if (await answers(bus, deviceId)) return (await comset(bus, deviceId, { baudRate })).kind === 'moved';
  bus.configure(deviceId, { baudRate });
  return false;
}

const answers = (bus: OsdpBus, deviceId: string): Promise<boolean> =>
  bus.until(() => bus.devices.some((device) => device.deviceId === deviceId && device.online), ANSWER_WITHIN_MS);
