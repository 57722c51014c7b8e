import type { SiteFile } from '@sparc/protocol/policy';
import type { CardRead } from '@sparc/protocol/ports';
import type { CardBits, SimulatedReader } from '../devices/index.js';
import { cardBitsOf } from '../people/index.js';
import { CardsArriveOnce, DevicesReturn, drawKeys, drawSite, LocksObeyCommands } from '../scenarios/index.js';
import { LINE_FAULTS, SeededRandom, sleep } from '../world/index.js';
import { BusRig } from './bus-rig.js';
import { BUS_QUIRKS, BusTroubles, DEVICE_FAULTS } from './bus-troubles.js';
import type { WorldReport } from './world-report.js';

export const BUS_FAULTS = [...LINE_FAULTS, ...DEVICE_FAULTS, ...BUS_QUIRKS] as const;

/** Seeded defects, one for each checker to catch. */
export const BUS_DEFECTS = ['lateUnlock', 'doubleDelivery', 'lostKey', 'clearDevice', 'deafDevice'] as const;
export type BusDefect = (typeof BUS_DEFECTS)[number];

export interface BusWorldOptions {
  readonly seed: number;
  /** Simulated time with faults; then the line heals and everything has to work. Default 0.05. */
  readonly hours?: number;
  readonly defect?: BusDefect;
}

const BAUD_RATES = [9_600, 38_400, 115_200];
const HOUR_MS = 3_600_000;
const HOURS = 0.05;
/** Back-off of an offline device, its handshake, and the seconds a device keeps a session that is gone. */
const RECOVERY_MAX_MS = 45_000;
const OFFLINE_SEEN_MS = 9_000;
const HEALTHY_MS = 25_000;
/** Presentation to delivery on a healthy line of four secure readers at 9600 baud. */
const DELIVERY_MAX_MS = 1_000;
const UNLOCK_MS = 3_000;
const UNLOCK_TTL_MS = 2_000;
/** Two presentations of one card at one reader are never closer. */
const PRESENTATION_PAUSE_MS = 2_000;
const LATE_UNLOCK_MS = 10_000;
const KEYS = '12*#';
const KEYS_CHANCE = 0.3;

/** OSDP at byte level: the real bus scheduler and ACU machines against simulated devices on faulty lines. */
export class BusWorld {
  readonly #random: SeededRandom;
  readonly #baudRate: number;
  readonly #rig: BusRig;
  readonly #locks: LocksObeyCommands;
  readonly #cards: CardsArriveOnce;
  #healthy = false;
  /** Nobody comes any more. */
  #closed = false;
  #acknowledged = 0;

  constructor(private readonly options: BusWorldOptions) {
    this.#random = new SeededRandom(`bus/${options.seed}`);
    const draw = this.#random.fork('site');
    const site = withPoweredLocks(drawSite(draw));
    const keys = drawKeys(draw, site);
    this.#baudRate = draw.pick(BAUD_RATES);
    const clearDevice = options.defect === 'clearDevice' ? site.readers[0]?.device : undefined;
    this.#rig = new BusRig({
      random: this.#random,
      site,
      baudRate: this.#baudRate,
      keys: new Map([...keys].filter(([id]) => id !== clearDevice)),
    });
    const nowMs = () => this.#rig.clock.monotonicMs();
    this.#locks = new LocksObeyCommands(this.#rig.violations, nowMs);
    this.#cards = new CardsArriveOnce(this.#rig.violations, nowMs);
    for (const lock of this.#rig.built.locks.values()) {
      lock.onChange = () => this.#rig.trace(`${lock.id} ${lock.released ? 'released' : 'locked'}`);
    }
    // Whoever answers in clear because it is made so does not surprise anybody.
    this.#rig.wire.excuse = (from) =>
      this.#rig.built.devices.get(from)?.quirks.fired.has('answersClearInSession') === true;
  }

  async run(): Promise<WorldReport> {
    const { clock, bus, built, online, violations } = this.#rig;
    const faultyMs = (this.options.hours ?? HOURS) * HOUR_MS;
    this.#rig.start({
      onCardRead: (read) => {
        this.#read(read);
        if (this.options.defect === 'doubleDelivery') this.#read(read);
      },
      onKeypad: ({ deviceId, keys }) => {
        this.#rig.trace(`keys ${deviceId}`);
        if ((this.options.defect === 'lostKey' ? keys.slice(1) : keys) !== KEYS)
          violations.add('keys-as-typed', `${deviceId} delivered other keys than were pressed`);
      },
    });
    for (const reader of built.readers.values()) void this.#visit(reader);

    const troubles = new BusTroubles(this.#rig, this.#random, this.#baudRate);
    void troubles.run(faultyMs);
    await clock.run(faultyMs);
    troubles.heal();
    if (this.options.defect === 'deafDevice') [...built.devices.values()].at(-1)?.setConnected(false);
    // Whoever is out of reach counts as online for another 8 s (SIA OSDP v2.2, "Timing").
    await clock.advance(OFFLINE_SEEN_MS);
    await clock.runUntil(() => online.size === built.devices.size, RECOVERY_MAX_MS);
    this.#healthy = true;
    await clock.advance(HEALTHY_MS);
    this.#closed = true;
    // The last reads arrive, the last unlock ends.
    await clock.advance(PRESENTATION_PAUSE_MS + UNLOCK_MS);
    this.#locks.check(built.locks.values());
    this.#cards.check();
    new DevicesReturn(violations).check(built.devices.values(), (id) => online.has(id));
    await bus.stop();
    return this.#rig.report(troubles.fired, {
      baudRate: this.#baudRate,
      cardsDelivered: this.#cards.delivered,
      deliveryMaxMs: Math.ceil(this.#cards.latencyMaxMs),
      unlocksAcknowledged: this.#acknowledged,
    });
  }

  /** Every card opens its door: rights are another world's matter. */
  #read({ deviceId, readerNumber, bitCount, bits }: CardRead): void {
    const { site, bus } = this.#rig;
    const reader = site.readers.find(({ device, number }) => device === deviceId && number === readerNumber);
    const point = site.accessPoints.find((each) => each.reader === reader?.id);
    const door = site.doors.find(({ id }) => id === point?.door);
    const output = site.outputs.find(({ id }) => id === door?.lock.output);
    if (reader === undefined || door === undefined || output === undefined) throw new Error('a read from nowhere');
    this.#rig.trace(`card ${reader.id}`);
    this.#cards.arrived(reader.id, { bitCount, bits });
    bus.indicate(deviceId, readerNumber, 'granted');
    void this.#unlock(door.id, output.device, output.number);
  }

  async #unlock(doorId: string, deviceId: string, outputNumber: number): Promise<void> {
    const { clock, bus } = this.#rig;
    this.#locks.commanded(doorId, UNLOCK_MS, UNLOCK_TTL_MS);
    if (this.options.defect === 'lateUnlock') await sleep(clock, LATE_UNLOCK_MS);
    const action = { kind: 'onFor', durationMs: UNLOCK_MS } as const;
    const outcome = await bus.setOutput({ deviceId, outputNumber, action, ttlMs: UNLOCK_TTL_MS });
    this.#rig.trace(`unlock ${doorId} ${outcome.kind}`);
    if (outcome.kind === 'acknowledged') this.#acknowledged += 1;
  }

  /** Somebody comes to the reader every few seconds. */
  async #visit(reader: SimulatedReader): Promise<void> {
    const random = this.#random.fork(`visitors/${reader.id}`);
    const { clock, site } = this.#rig;
    const cards = site.credentials.flatMap(({ identifiers }) => identifiers.map(cardBitsOf));
    while (!this.#closed) {
      await sleep(clock, PRESENTATION_PAUSE_MS + random.between(0, 10_000));
      if (!reader.device.powered || this.#closed) continue;
      const card: CardBits = random.pick(cards);
      this.#cards.presented(reader.id, card, this.#healthy ? DELIVERY_MAX_MS : undefined);
      this.#rig.trace(`present ${reader.id}`);
      reader.presentCard(card);
      if (random.chance(KEYS_CHANCE)) reader.pressKeys(KEYS);
    }
  }
}

/** A lock that fails safe is released by a power cut: physics, and no command. */
function withPoweredLocks(site: SiteFile): SiteFile {
  return { ...site, doors: site.doors.map((door) => ({ ...door, lock: { ...door.lock, type: 'failSecure' } })) };
}
