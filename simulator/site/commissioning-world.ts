import { discover, setAddress, type ComsetResult } from '@sparc/firmware-bridges/osdp';
import { isSparcError } from '@sparc/protocol/errors';
import type { SiteFile } from '@sparc/protocol/policy';
import { type DeviceMemory, FACTORY_MEMORY, type PdDevice, type ReaderQuirk } from '../devices/index.js';
import { cardBitsOf } from '../people/index.js';
import { DevicesReturn, drawKeys, drawSite } from '../scenarios/index.js';
import { SeededRandom, sleep } from '../world/index.js';
import { BusRig } from './bus-rig.js';
import type { WorldReport } from './world-report.js';

/** Quirks that show while a reader is found, addressed and given its key. */
export const COMMISSIONING_QUIRKS = [
  'refusesComsetInClear',
  'comsetIgnoresBaud',
  'comsetWithoutEffect',
  'dropsSessionAfterKeyset',
  'ackKeysetInClear',
  'refusesIdInClear',
  'shortPdid',
  'tailedPdcap',
  'naksSequenceInsteadOfRestart',
  'lateReplies',
  'busyOften',
] as const satisfies readonly ReaderQuirk[];

/** Seeded defects, for the checkers to catch. */
export const COMMISSIONING_DEFECTS = ['openedByNobody', 'neverClosed', 'anotherKey'] as const;
export type CommissioningDefect = (typeof COMMISSIONING_DEFECTS)[number];

export interface CommissioningWorldOptions {
  readonly seed: number;
  /** Simulated time, at least: readers come from their box and are commissioned, one after the other. Default 0.05. */
  readonly hours?: number;
  readonly defect?: CommissioningDefect;
}

const BAUD_RATES = [9_600, 38_400];
const HOUR_MS = 3_600_000;
const HOURS = 0.05;
const ONLINE_MAX_MS = 30_000;
const WINDOW_MS = 120_000;
const KEY_PROVEN_MAX_MS = 15_000;
/** Between windows, so that a gateway that goes on with SCBK-D is seen. */
const CLOSED_MS = 12_000;
const DELIVERY_MAX_MS = 2_000;
const ATTEMPTS_MAX = 3;
const BUS = 'bus-1';
/** Where readers come with another address than 0, which the I/O module of the bus has. */
const FACTORY_ADDRESSES = [0x20, 0x33, 0x7e];
/** Those that keep a reader where it was: the person at it has to set its switches. */
const STUBBORN: readonly ReaderQuirk[] = ['comsetIgnoresBaud', 'comsetWithoutEffect'];

/**
 * Readers fresh from the factory are commissioned on a bus that goes on working: window, discovery, address, key; then
 * factory resets, and the same again. Watched: nothing of it happens outside a window, and the doors of the bus stay usable.
 */
export class CommissioningWorld {
  readonly #random: SeededRandom;
  readonly #rig: BusRig;
  readonly #baudRate: number;
  readonly #newcomer: PdDevice;
  readonly #site: SiteFile;
  readonly #proven: string[] = [];
  readonly #reads = new Map<string, number>();
  #quirks: ReaderQuirk[] = [];
  #windows = 0;
  #commissioned = 0;

  constructor(private readonly options: CommissioningWorldOptions) {
    this.#random = new SeededRandom(`commissioning/${options.seed}`);
    const draw = this.#random.fork('site');
    this.#site = drawSite(draw);
    const keys = drawKeys(draw, this.#site);
    this.#baudRate = draw.pick(BAUD_RATES);
    const newcomer = this.#site.readers.find(({ device }) => this.#busOf(device) === BUS)?.device ?? '';
    this.#rig = new BusRig({
      random: this.#random,
      site: this.#site,
      baudRate: this.#baudRate,
      keys,
      memories: new Map([[newcomer, this.#fromFactory()]]),
      plan: (id) => {
        const scbk = keys.get(id);
        return id === newcomer || scbk === undefined ? undefined : { mode: 'required', scbk };
      },
      onKeyProven: (deviceId) => this.#proven.push(deviceId),
    });
    this.#newcomer = named(this.#rig.built.devices, newcomer);
    // It answers so because it is made so.
    this.#rig.wire.excuse = (from) => from === newcomer && this.#quirks.includes('ackKeysetInClear');
  }

  async run(): Promise<WorldReport> {
    const { clock, built, bus, online, violations } = this.#rig;
    const endMs = (this.options.hours ?? HOURS) * HOUR_MS;
    this.#rig.start({
      onCardRead: ({ deviceId, secure }) => {
        if (!secure) violations.add('nothing-in-clear', `${deviceId} delivered a card in clear`);
        this.#rig.trace(`card ${deviceId}`);
        this.#reads.set(deviceId, clock.monotonicMs());
      },
    });
    await clock.runUntil(() => online.size === built.devices.size - 1, ONLINE_MAX_MS);
    // The ceremony runs on the virtual clock, so somebody else has to let it pass.
    let done = false;
    void this.#commissionAgainAndAgain(endMs).then(() => (done = true));
    await clock.runUntil(() => done, 2 * endMs + 10 * WINDOW_MS);
    if (!done) violations.add('commissioning', 'a ceremony did not come to its end');
    new DevicesReturn(violations).check(built.devices.values(), (id) => online.has(id));
    await bus.stop();
    return this.#rig.report(new Map(), {
      baudRate: this.#baudRate,
      windows: this.#windows,
      commissioned: this.#commissioned,
    });
  }

  /** Until every quirk had its turn and the time is over, or something was wrong; the last reader is one without quirks, so that everything can be whole at the end. */
  async #commissionAgainAndAgain(endMs: number): Promise<void> {
    const { clock, violations } = this.#rig;
    const deck = this.#random.shuffle(COMMISSIONING_QUIRKS);
    while ((clock.monotonicMs() < endMs || deck.length > 0) && violations.found.length === 0) {
      if (deck.length === 0) deck.push(...this.#random.shuffle(COMMISSIONING_QUIRKS));
      this.#quirks = deck.splice(0, 1);
      await this.#commission();
      // Its key is gone, and it is where it was: the gateway sees a reader that offers SCBK-D, and leaves it alone.
      this.#newcomer.factoryReset(this.#newcomer.memory);
      await sleep(clock, CLOSED_MS);
      this.#takeOut();
      this.#newcomer.factoryReset(this.#fromFactory());
    }
    this.#quirks = [];
    await this.#commission();
    await sleep(clock, CLOSED_MS);
  }

  async #commission(): Promise<void> {
    const { clock, bus, wire, violations } = this.#rig;
    const line = bus.bus(BUS);
    this.#newcomer.setQuirks(this.#quirks);
    const { address, baudRate } = this.#newcomer.memory;
    this.#rig.trace(`window ${this.#quirks.join()} ${address} ${baudRate}`);
    this.#windows += 1;
    wire.windowOpen = this.options.defect !== 'openedByNobody';
    const windowEndsAtMs = clock.monotonicMs() + WINDOW_MS;

    const found = await discover(line, {
      baudRates: [...new Set([baudRate, this.#baudRate])],
      addresses: [0, address],
    });
    if (!found.some((each) => each.address === address && each.baudRate === baudRate && !each.conflict)) {
      violations.add(
        'commissioning',
        `the reader at address ${address} and ${baudRate} baud was not found, with ${this.#quirks.join() || 'no quirk'}`,
      );
    }
    const newAddress = this.#site.devices.find(({ id }) => id === this.#newcomer.id)?.address ?? 0;
    const moved = await this.#setAddress(() => setAddress(line, { address, baudRate, newAddress, windowEndsAtMs }));
    this.#judge(moved);
    if (moved.kind === 'moved') await this.#giveKey(newAddress, windowEndsAtMs);
    wire.windowOpen = false;
    if (moved.kind !== 'moved') return;
    if (this.options.defect === 'neverClosed') {
      line.configure(this.#newcomer.id, { secureChannel: { mode: 'install', untilMs: Infinity } });
    }
    await this.#present();
  }

  /** A person tries again where a late answer of the reader passed for somebody at the new address. */
  async #setAddress(attempt: () => Promise<ComsetResult>): Promise<ComsetResult> {
    for (let count = 1; ; count++) {
      try {
        return await attempt();
      } catch (error) {
        if (!isSparcError(error) || error.code !== 'ERR_BUS_ADDRESS_TAKEN' || count === ATTEMPTS_MAX) throw error;
        this.#rig.trace(`attempt ${count} ${error.code}`);
      }
    }
  }

  /** It is where the gateway says that it is. */
  #judge(result: ComsetResult): void {
    const { address, baudRate } = this.#newcomer.memory;
    this.#rig.trace(`setAddress ${result.kind} ${result.address} ${result.baudRate}`);
    const isThere = result.kind !== 'lost' && result.address === address && result.baudRate === baudRate;
    if (!isThere) {
      const said = `${result.kind} ${result.address} at ${result.baudRate}`;
      this.#rig.violations.add('commissioning', `the gateway says ${said}, the reader is ${address} at ${baudRate}`);
    }
    const isStubborn = this.#quirks.some((quirk) => STUBBORN.includes(quirk));
    if (result.kind !== 'moved' && !isStubborn)
      this.#rig.violations.add('commissioning', `setAddress: ${result.message}`);
  }

  async #giveKey(address: number, untilMs: number): Promise<void> {
    const { clock, bus, violations } = this.#rig;
    const deviceId = this.#newcomer.id;
    const scbk = this.#random.bytes(16);
    const provenBefore = this.#proven.length;
    const planned = this.#planned();
    bus.setDevices(BUS, [...planned, { deviceId, address, secureChannel: { mode: 'install', scbk, untilMs } }]);
    const givesUpAtMs = clock.monotonicMs() + KEY_PROVEN_MAX_MS;
    while (this.#proven.length === provenBefore && clock.monotonicMs() < givesUpAtMs) await sleep(clock, 10);
    if (this.#proven.length === provenBefore) violations.add('commissioning', 'the key was not proven');
    else this.#commissioned += 1;
    const kept = this.options.defect === 'anotherKey' ? this.#random.bytes(16) : scbk;
    if (this.#newcomer.memory.scbk?.join() !== kept.join()) {
      violations.add('commissioning', 'the reader has another key than the gateway');
    }
    bus.setDevices(BUS, [...planned, { deviceId, address, secureChannel: { mode: 'required', scbk: kept } }]);
  }

  /** A card at the new reader, and one at a reader that was there all the time. */
  async #present(): Promise<void> {
    const { clock, built, violations } = this.#rig;
    const identifier = this.#site.credentials[0]?.identifiers[0];
    if (identifier === undefined) return;
    await sleep(clock, DELIVERY_MAX_MS);
    const readers = [...built.readers.values()].filter(({ device }) => this.#busOf(device.id) === BUS);
    const fromMs = clock.monotonicMs();
    for (const reader of readers) reader.presentCard(cardBitsOf(identifier));
    await sleep(clock, DELIVERY_MAX_MS);
    for (const { device } of readers) {
      if ((this.#reads.get(device.id) ?? -1) < fromMs) {
        violations.add('commissioning', `a card at ${device.id} did not arrive within ${DELIVERY_MAX_MS} ms`);
      }
    }
  }

  #planned() {
    return this.#rig.bus
      .bus(BUS)
      .devices.map(({ plan }) => plan)
      .filter(({ deviceId }) => deviceId !== this.#newcomer.id);
  }

  #takeOut(): void {
    this.#rig.bus.setDevices(BUS, this.#planned());
  }

  #fromFactory(): DeviceMemory {
    return { ...FACTORY_MEMORY, address: this.#random.pick(FACTORY_ADDRESSES) };
  }

  #busOf(deviceId: string): string | undefined {
    return this.#site.devices.find(({ id }) => id === deviceId)?.bus;
  }
}

function named<T>(items: ReadonlyMap<string, T>, id: string): T {
  const item = items.get(id);
  if (item === undefined) throw new RangeError(`there is no ${id}`);
  return item;
}
