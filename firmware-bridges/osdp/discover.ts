import { SparcError } from '@sparc/protocol/errors';
import { CAPABILITY, CONFIGURATION_ADDRESS, type Capability, type Check, type Command } from '@sparc/protocol/osdp';
import type { BusDevice, Pdid } from './bus-device.js';
import { isSamePlace } from './comset.js';
import type { ExchangeResult } from './line-exchange.js';
import type { OsdpBus } from './osdp-bus.js';
import type { Place } from './plan.js';

/** Every rate of OSDP, in the order in which readers are likely to have them: the factory's, then what installers set. */
const LIKELY_BAUD_RATES = [9_600, 115_200, 38_400, 19_200, 57_600, 230_400] as const;
const ADDRESSES = Array.from({ length: 127 }, (_, address) => address);
/** Of so many questions to an address that answers, a second device spoils or answers at least one. */
const REPEATS = 3;
/** Of them so many may be spoilt by noise. */
const GARBLED_MAX = 1;
const LISTEN_MS = 100;

/** A PD that answered. */
export interface FoundDevice extends Place {
  /** Undefined where it refuses even ID in clear, or two devices answer at once. */
  readonly pdid?: Omit<Pdid, 'name' | 'firmware'> & { readonly firmware: string };
  /** Garbled or several answers: two devices at this address. */
  readonly conflict: boolean;
  /** What PDCAP says in clear: a hint, nothing to decide by. */
  readonly secureChannel?: boolean;
  /** SCBK-D is in use: it waits for its key. */
  readonly defaultKey?: boolean;
}

export interface DiscoverOptions {
  /** Default: every rate that the line can have. */
  readonly baudRates?: readonly number[];
  /** Default: all. */
  readonly addresses?: readonly number[];
  readonly signal?: AbortSignal;
}

export interface DiscoverProgress {
  /** For people, such as `address 17 at 9600 baud`. */
  readonly step: string;
  /** 0 to 1. */
  readonly progress: number;
  readonly found: readonly FoundDevice[];
}

/** One question of a search. */
interface Probe extends Place {
  readonly check: Check;
}

/**
 * Looks for PDs, whether planned or not, by ID at SQN 0: a POLL might be refused without a word. Devices of the plan that
 * are online are known already and stay undisturbed. Ends early where a lone PD has been found; when the signal aborts,
 * with what was found by then. Rejects with a SparcError: ERR_BUS_RATE_FIXED, ERR_OSDP_LINE_DOWN.
 */
export async function discover(
  bus: OsdpBus,
  { baudRates, addresses = ADDRESSES, signal }: DiscoverOptions = {},
  onProgress: (progress: DiscoverProgress) => void = () => undefined,
): Promise<readonly FoundDevice[]> {
  const rates = baudRates ?? (bus.canSetBaudRate ? LIKELY_BAUD_RATES : [bus.baudRate]);
  for (const rate of rates) bus.assertRate(rate);
  const found: FoundDevice[] = onlineDevices(bus).filter(
    ({ address, baudRate }) => addresses.includes(address) && rates.includes(baudRate),
  );
  const ordered = await likelyFirst(bus, rates);
  const checks: readonly Check[] = ['crc', 'checksum'];
  const probes = checks.flatMap((check) =>
    ordered.flatMap(({ baudRate }) => addresses.map((address): Probe => ({ address, baudRate, check }))),
  );
  const lone = new Map(ordered.map(({ baudRate, lone }) => [baudRate, lone]));
  for (const [index, probe] of probes.entries()) {
    if (signal?.aborted === true) break;
    const { address, baudRate } = probe;
    const step = `address ${address} at ${baudRate} baud${probe.check === 'crc' ? '' : ', by checksum'}`;
    onProgress({ step, progress: index / probes.length, found: [...found] });
    const same = found.filter((device) => device.baudRate === baudRate);
    if (same.some((device) => device.address === address)) continue;
    // Who answered alone at the configuration address has been found: nobody else is there at this rate.
    if (same.some(({ pdid }) => pdid !== undefined && identity(pdid) === lone.get(baudRate))) continue;
    const device = await probeAddress(bus, probe);
    if (device !== undefined) found.push(device);
  }
  onProgress({ step: 'done', progress: 1, found: [...found] });
  return found;
}

/** Rates at which somebody answers at the configuration address come first; `lone`: the identity of a PD that is alone. */
async function likelyFirst(
  bus: OsdpBus,
  baudRates: readonly number[],
): Promise<readonly { readonly baudRate: number; readonly lone: string | undefined }[]> {
  const answering = [];
  const silent = [];
  for (const baudRate of baudRates) {
    const result = await ask(bus, { address: CONFIGURATION_ADDRESS, baudRate, check: 'crc' }, ID, LISTEN_MS);
    if (result === 'ofPlan' || result.kind === 'silent') silent.push({ baudRate, lone: undefined });
    else answering.push({ baudRate, lone: aloneOf(result) });
  }
  return [...answering, ...silent];
}

function aloneOf(result: ExchangeResult): string | undefined {
  if (result.kind !== 'reply' || result.disturbed || result.reply.name !== 'PDID') return undefined;
  return identity(described(result.reply));
}

async function probeAddress(bus: OsdpBus, probe: Probe): Promise<FoundDevice | undefined> {
  const { address, baudRate } = probe;
  const results = [await ask(bus, probe, ID)];
  if (results[0] !== 'ofPlan' && results[0]?.kind === 'silent') return undefined;
  for (let repeat = 0; repeat < REPEATS; repeat++) results.push(await ask(bus, probe, ID, LISTEN_MS));
  if (results.includes('ofPlan')) return onlineDevices(bus).find((device) => isSamePlace(device, probe));
  const answers = results.filter((result) => result !== 'ofPlan');
  const whole = answers.filter((answer) => answer.kind === 'reply' || answer.kind === 'unreadable');
  const garbled = answers.filter((answer) => answer.kind === 'garbled' || ('disturbed' in answer && answer.disturbed));
  if (whole.length === 0 && garbled.length <= GARBLED_MAX) return undefined;
  const pdids = whole.flatMap((answer) =>
    answer.kind === 'reply' && answer.reply.name === 'PDID' ? [described(answer.reply)] : [],
  );
  const [pdid] = pdids;
  const conflict = garbled.length > GARBLED_MAX || new Set(pdids.map(identity)).size > 1;
  if (conflict || pdid === undefined) return { address, baudRate, conflict };
  const capabilities = await ask(bus, probe, { name: 'CAP', type: 0 });
  const known = capabilities !== 'ofPlan' && capabilities.kind === 'reply' && capabilities.reply.name === 'PDCAP';
  return { address, baudRate, conflict, pdid, ...(known ? security(capabilities.reply.capabilities) : {}) };
}

const ID: Command = { name: 'ID', type: 0 };

/** `ofPlan`: a device of the plan has come online there meanwhile. */
async function ask(
  bus: OsdpBus,
  probe: Probe,
  command: Command,
  listenMs?: number,
): Promise<ExchangeResult | 'ofPlan'> {
  const listening = listenMs === undefined ? {} : { timeoutMs: listenMs, listensOn: true };
  try {
    return await bus.exchange({ ...probe, command, ...listening });
  } catch (error) {
    if (error instanceof SparcError && error.code === 'ERR_BUS_ADDRESS_TAKEN') return 'ofPlan';
    throw error;
  }
}

function onlineDevices(bus: OsdpBus): FoundDevice[] {
  return bus.devices.filter(({ online }) => online).map((device) => ofPlan(device, bus.placeOf(device)));
}

function ofPlan({ pdid, capabilities }: BusDevice, place: Place): FoundDevice {
  return {
    ...place,
    conflict: false,
    ...(pdid === undefined ? {} : { pdid: described(pdid) }),
    ...(capabilities === undefined ? {} : security(capabilities)),
  };
}

function described({ vendor, model, version, serial, firmware }: Pdid): NonNullable<FoundDevice['pdid']> {
  const { major, minor, build } = firmware;
  return { vendor, model, version, serial, firmware: `${major}.${minor}.${build}` };
}

const identity = ({ vendor, model, serial }: NonNullable<FoundDevice['pdid']>) => `${vendor} ${model} ${serial}`;

function security(capabilities: readonly Capability[]): Pick<FoundDevice, 'secureChannel' | 'defaultKey'> {
  const entry = capabilities.find((each) => each.function === CAPABILITY.security);
  return { secureChannel: ((entry?.compliance ?? 0) & 1) === 1, defaultKey: ((entry?.count ?? 0) & 1) === 1 };
}
