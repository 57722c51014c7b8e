import { discover, identify, setAddress, type ComsetResult, type OsdpBus } from '@sparc/firmware-bridges/osdp';
import { SparcError } from '@sparc/protocol/errors';
import type { Device } from '@sparc/protocol/policy';
import type { Clock } from '@sparc/protocol/ports';
import type {
  BusSpeeds,
  DeviceKeys,
  Operation,
  OperationPlan,
  TaskOperation,
  TaskWork,
} from '../commissioning/index.js';
import type { BusConfig } from '../config/index.js';
import { CAPTURES_FOLDER, captureToFile } from './capture-file.js';
import type { FieldBuses } from './field-buses.js';

/** Long enough to walk to the other door of a corridor. */
const IDENTIFY_MS = 10_000;

export interface OperationDeps {
  readonly clock: Clock;
  readonly dataDir: string;
  readonly buses: FieldBuses;
  readonly configs: readonly BusConfig[];
  readonly keys: DeviceKeys;
  readonly speeds: BusSpeeds;
  /** Brings a bundle to devices; throws a SparcError for what cannot be done. */
  readonly transfer: (operation: Of<'transfer'>) => OperationPlan;
  /** Something that escrow has to hold has changed. */
  readonly escrow: () => Promise<void>;
}

type Of<K extends Operation['kind']> = Extract<Operation, { kind: K }>;

/**
 * How the buses do what a person asks for. `windowEndsAtMs`: until then, on the monotonic clock, SCBK-D may be used. Throws
 * ERR_COMMISSIONING_BUS_UNKNOWN, _DEVICE_UNKNOWN, _DEVICE_CLEAR or _DEVICE_SILENT for what cannot be begun.
 */
export function planOperation(deps: OperationDeps, operation: TaskOperation, windowEndsAtMs: number): OperationPlan {
  switch (operation.kind) {
    case 'discover':
      return planDiscovery(deps, operation);
    case 'identify': {
      const { id: deviceId, bus: busId } = deviceOf(deps, operation.device);
      return at(busId, () => deps.buses.identify(deviceId, IDENTIFY_MS), deviceId);
    }
    case 'identifyFound': {
      const bus = busOf(deps, operation.bus);
      const { address, baudRate } = operation;
      return at(bus.busId, () => identify(bus, { address, baudRate, windowEndsAtMs }, IDENTIFY_MS));
    }
    case 'setAddress':
      return planAddress(deps, operation, windowEndsAtMs);
    case 'setBusSpeed':
      return planSpeed(deps, operation);
    case 'setKey':
      return planKey(deps, operation, windowEndsAtMs);
    case 'capture': {
      const { clock, dataDir } = deps;
      const bus = busOf(deps, operation.bus);
      const { seconds } = operation;
      return at(bus.busId, (signal, report) => {
        const onProgress = (progress: number, name: string) =>
          report({ progress, file: `${CAPTURES_FOLDER}/${name}`, step: 'listening' });
        return captureToFile({ clock, dataDir, bus }, { seconds, signal, onProgress });
      });
    }
    case 'transfer':
      return deps.transfer(operation);
  }
}

const at = (bus: string, work: TaskWork, device?: string): OperationPlan => ({
  place: { bus, ...(device === undefined ? {} : { device }) },
  work,
});

function planDiscovery(deps: OperationDeps, { bus: busId, baudRates, addresses }: Of<'discover'>): OperationPlan {
  const bus = busOf(deps, busId);
  const limits = {
    ...(baudRates === undefined ? {} : { baudRates }),
    ...(addresses === undefined ? {} : { addresses }),
  };
  return at(busId, async (signal, report) => {
    await discover(bus, { ...limits, signal }, ({ step, progress, found }) => {
      const withDevice = found.map((each) => {
        const planned = deps.buses.devices.find((device) => device.bus === busId && device.address === each.address);
        return planned === undefined ? each : { ...each, device: planned.id };
      });
      report({ step, progress, found: withDevice });
    });
    signal.throwIfAborted();
  });
}

function planAddress(
  deps: OperationDeps,
  { bus: busId, address, baudRate, newAddress }: Of<'setAddress'>,
  windowEndsAtMs: number,
): OperationPlan {
  const bus = busOf(deps, busId);
  const config = configOf(deps, busId);
  // COMSET names address and rate: told a wrong rate, the reader would be out of reach of this line.
  if ('tcp' in config && config.tcp.baudRate === undefined) {
    const message = `the configuration does not say how fast the line behind ${busId} is (\`tcp.baudRate\`)`;
    throw new SparcError('ERR_COMMISSIONING_RATE_UNKNOWN', message, { busId });
  }
  return at(busId, async (_signal, report) => {
    report({ step: `address ${address} to ${newAddress}` });
    assertMoved(await setAddress(bus, { address, baudRate, newAddress, windowEndsAtMs }));
  });
}

/** The attempt is on disk before the first device moves: whoever starts after a power cut finds the others. */
function planSpeed(deps: OperationDeps, { bus: busId, baudRate }: Of<'setBusSpeed'>): OperationPlan {
  const bus = busOf(deps, busId);
  const config = configOf(deps, busId);
  return at(busId, async (_signal, report) => {
    const before = bus.baudRate;
    bus.assertRate(baudRate);
    await stored(deps.speeds.set(config, before, baudRate));
    let isOnTheWay = false;
    try {
      const { changed, devices } = await deps.buses.changeSpeed(busId, baudRate, (progress) => {
        isOnTheWay = true;
        report(progress);
      });
      const results = [...devices.values()];
      isOnTheWay = results.some(({ kind }) => kind === 'lost');
      if (!changed) for (const result of results) assertMoved(result);
    } finally {
      const speed = bus.baudRate;
      await stored(deps.speeds.set(config, speed, isOnTheWay && speed === before ? baudRate : undefined));
    }
    await deps.escrow();
  });
}

function planKey(deps: OperationDeps, { device: deviceId }: Of<'setKey'>, untilMs: number): OperationPlan {
  const { keys } = deps;
  const { bus: busId, secureChannel } = deviceOf(deps, deviceId);
  if (secureChannel === 'clear') {
    throw new SparcError('ERR_COMMISSIONING_DEVICE_CLEAR', `${deviceId} is to work in clear`, { deviceId });
  }
  const isSecure = busOf(deps, busId).devices.some((each) => each.deviceId === deviceId && each.online && each.secure);
  if (!isSecure && !keys.mayInstall(deviceId)) {
    throw new SparcError('ERR_COMMISSIONING_DEVICE_SILENT', `${deviceId} is not online`, { deviceId });
  }
  const path = isSecure ? 'session' : 'install';
  const work: TaskWork = (signal, report) =>
    keys.change(deviceId, path, { signal, untilMs, report: (step) => report({ step }) });
  return at(busId, work, deviceId);
}

function assertMoved(result: ComsetResult): void {
  if (result.kind !== 'moved') throw new SparcError(result.code, result.message);
}

function busOf({ buses }: OperationDeps, busId: string): OsdpBus {
  const bus = buses.bus(busId);
  if (bus === undefined) throw busUnknown(busId);
  return bus;
}

function configOf({ configs }: OperationDeps, busId: string): BusConfig {
  const config = configs.find(({ id }) => id === busId);
  if (config === undefined) throw busUnknown(busId);
  return config;
}

const busUnknown = (busId: string) =>
  new SparcError('ERR_COMMISSIONING_BUS_UNKNOWN', `this gateway has no bus ${busId}`, { busId });

function deviceOf({ buses }: OperationDeps, deviceId: string): Device {
  const device = buses.device(deviceId);
  if (device !== undefined) return device;
  throw new SparcError('ERR_COMMISSIONING_DEVICE_UNKNOWN', `no bus of this gateway has ${deviceId}`, { deviceId });
}

async function stored(work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (cause) {
    const message = `the speed of a bus could not be stored: ${(cause as Error).message}`;
    throw new SparcError('ERR_COMMISSIONING_STORE_FAILED', message, {}, { cause });
  }
}
