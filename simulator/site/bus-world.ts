import { OsdpFieldBus, type BusPlan } from '@sparc/firmware-bridges/osdp';
import type { SiteFile } from '@sparc/protocol/policy';
import type { CardRead, FieldBusHandlers } from '@sparc/protocol/ports';
import { buildSite, type CardBits, type SimulatedReader, type SimulatedSite } from '../devices/index.js';
import { cardBitsOf } from '../people/index.js';
import {
  CardsArriveOnce,
  DevicesReturn,
  drawKeys,
  drawSite,
  LocksObeyCommands,
  NothingInClear,
  Violations,
} from '../scenarios/index.js';
import {
  LINE_FAULTS,
  RunDigest,
  SeededRandom,
  SerialLine,
  SimulatedByteLink,
  sleep,
  VirtualClock,
} from '../world/index.js';

import type { WorldReport } from './world-report.js';

/** Faults of devices and cables, beside those of the line. */
export const DEVICE_FAULTS = ['powerCycle', 'cutStub', 'unplugAdapter', 'busy'] as const;
export const BUS_FAULTS = [...LINE_FAULTS, ...DEVICE_FAULTS] as const;

/** Seeded defects, one for each checker to catch. */
export const BUS_DEFECTS = ['lateUnlock', 'doubleDelivery', 'clearDevice', 'deafDevice'] as const;
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
const HEALTHY_MS = 30_000;
/** Presentation to delivery on a healthy line of four secure readers at 9600 baud. */
const DELIVERY_MAX_MS = 1_000;
const UNLOCK_MS = 3_000;
const UNLOCK_TTL_MS = 2_000;
/** Two presentations of one card at one reader are never closer. */
const PRESENTATION_PAUSE_MS = 2_000;
const FAULT_RATE_MAX = 0.02;
const LATE_UNLOCK_MS = 10_000;

/** OSDP at byte level: the real bus scheduler and ACU machines against simulated devices on faulty lines. */
export class BusWorld {
  readonly #clock = new VirtualClock();
  readonly #digest = new RunDigest();
  readonly #random: SeededRandom;
  readonly #site: SiteFile;
  readonly #baudRate: number;
  readonly #lines: ReadonlyMap<string, SerialLine>;
  readonly #links: ReadonlyMap<string, SimulatedByteLink>;
  readonly #built: SimulatedSite;
  readonly #bus: OsdpFieldBus;
  readonly #online = new Set<string>();
  readonly #fired = new Map<string, number>();
  readonly #violations = new Violations(() => this.#clock.monotonicMs());
  readonly #locks = new LocksObeyCommands(this.#violations, () => this.#clock.monotonicMs());
  readonly #cards = new CardsArriveOnce(this.#violations, () => this.#clock.monotonicMs());
  readonly #wire = new NothingInClear(this.#violations);
  #healthy = false;
  /** Nobody comes any more. */
  #closed = false;
  #acknowledged = 0;

  constructor(private readonly options: BusWorldOptions) {
    this.#random = new SeededRandom(`bus/${options.seed}`);
    const draw = this.#random.fork('site');
    this.#site = withPoweredLocks(drawSite(draw));
    const keys = drawKeys(draw, this.#site);
    this.#baudRate = draw.pick(BAUD_RATES);
    const busIds = [...new Set(this.#site.devices.map(({ bus }) => bus))];
    this.#lines = new Map(busIds.map((id) => [id, new SerialLine(this.#clock, this.#random.fork(`line/${id}`))]));
    this.#links = new Map(
      [...this.#lines].map(([id, line]) => [id, new SimulatedByteLink(this.#clock, line, id, this.#baudRate)]),
    );
    const clearDevice = options.defect === 'clearDevice' ? this.#site.readers[0]?.device : undefined;
    const pdKeys = new Map([...keys].filter(([id]) => id !== clearDevice));
    this.#built = buildSite({
      clock: this.#clock,
      random: this.#random.fork('devices'),
      site: this.#site,
      lines: this.#lines,
      keys: pdKeys,
      baudRate: this.#baudRate,
    });
    const buses = [...this.#links].map(([busId, link]): BusPlan => ({
      busId,
      link,
      devices: this.#site.devices
        .filter(({ bus }) => bus === busId)
        .map(({ id, address }) => {
          const scbk = pdKeys.get(id);
          return { deviceId: id, address, secureChannel: scbk ? { mode: 'required', scbk } : { mode: 'clear' } };
        }),
    }));
    this.#bus = new OsdpFieldBus({ clock: this.#clock, random: this.#random.fork('acu') }, { buses });
    for (const line of this.#lines.values()) {
      line.onRecord = (record) => {
        this.#trace(`${record.from} ${record.bytes.join()} ${[...record.faults].join()}`);
        this.#wire.seen(record);
      };
    }
    for (const lock of this.#built.locks.values()) {
      lock.onChange = () => this.#trace(`${lock.id} ${lock.released ? 'released' : 'locked'}`);
    }
  }

  async run(): Promise<WorldReport> {
    const clock = this.#clock;
    const faultyMs = (this.options.hours ?? HOURS) * HOUR_MS;
    this.#bus.start(this.#handlers());
    for (const reader of this.#built.readers.values()) void this.#visit(reader);

    this.#setFaults();
    void this.#breakThings(faultyMs);
    await clock.run(faultyMs);
    for (const line of this.#lines.values()) line.faults.heal();
    await clock.runUntil(() => this.#online.size === this.#built.devices.size, RECOVERY_MAX_MS);
    this.#healthy = true;
    await clock.advance(HEALTHY_MS);
    this.#closed = true;
    // The last reads arrive, the last unlock ends.
    await clock.advance(PRESENTATION_PAUSE_MS + UNLOCK_MS);
    this.#locks.check(this.#built.locks.values());
    this.#cards.check();
    new DevicesReturn(this.#violations).check(this.#built.devices.values(), (id) => this.#online.has(id));
    await this.#bus.stop();
    return this.#report();
  }

  #report(): WorldReport {
    const faultsFired = new Map<string, number>(this.#fired);
    for (const { faults } of this.#lines.values()) {
      for (const [fault, count] of faults.fired) faultsFired.set(fault, (faultsFired.get(fault) ?? 0) + count);
    }
    const sum = (of: (line: SerialLine) => number) =>
      [...this.#lines.values()].reduce((total, line) => total + of(line), 0);
    return {
      digest: this.#digest.toString(),
      violations: this.#violations.found,
      faultsFired,
      counts: {
        simulatedMs: this.#clock.monotonicMs(),
        devices: this.#built.devices.size,
        baudRate: this.#baudRate,
        bytes: sum(({ bytesCarried }) => bytesCarried),
        collisions: sum(({ collisions }) => collisions),
        cardsDelivered: this.#cards.delivered,
        deliveryMaxMs: Math.ceil(this.#cards.latencyMaxMs),
        unlocksAcknowledged: this.#acknowledged,
      },
    };
  }

  #trace(line: string): void {
    this.#digest.add(`${this.#clock.monotonicMs().toFixed(3)} ${line}`);
  }

  #handlers(): FieldBusHandlers {
    return {
      onCardRead: (read) => {
        this.#read(read);
        if (this.options.defect === 'doubleDelivery') this.#read(read);
      },
      onKeypad: () => undefined,
      onInput: ({ deviceId, inputNumber, state }) => this.#trace(`input ${deviceId} ${inputNumber} ${state}`),
      onOutput: ({ deviceId, outputNumber, active }) => this.#trace(`output ${deviceId} ${outputNumber} ${active}`),
      onDevice: ({ deviceId, link, secure }) => {
        this.#trace(`device ${deviceId} ${link} ${secure}`);
        if (link === 'online') this.#online.add(deviceId);
        else this.#online.delete(deviceId);
      },
      onBus: ({ busId, up }) => this.#trace(`bus ${busId} ${up}`),
      onAlarm: ({ code }) => this.#trace(`alarm ${code}`),
    };
  }

  /** Every card opens its door: rights are another world's matter. */
  #read({ deviceId, readerNumber, bitCount, bits }: CardRead): void {
    const reader = this.#site.readers.find(({ device, number }) => device === deviceId && number === readerNumber);
    const point = this.#site.accessPoints.find((each) => each.reader === reader?.id);
    const door = this.#site.doors.find(({ id }) => id === point?.door);
    const output = this.#site.outputs.find(({ id }) => id === door?.lock.output);
    if (reader === undefined || door === undefined || output === undefined) throw new Error('a read from nowhere');
    this.#trace(`card ${reader.id}`);
    this.#cards.arrived(reader.id, { bitCount, bits });
    void this.#unlock(door.id, output.device, output.number);
  }

  async #unlock(doorId: string, deviceId: string, outputNumber: number): Promise<void> {
    this.#locks.commanded(doorId, UNLOCK_MS, UNLOCK_TTL_MS);
    if (this.options.defect === 'lateUnlock') await sleep(this.#clock, LATE_UNLOCK_MS);
    const action = { kind: 'onFor', durationMs: UNLOCK_MS } as const;
    const outcome = await this.#bus.setOutput({ deviceId, outputNumber, action, ttlMs: UNLOCK_TTL_MS });
    this.#trace(`unlock ${doorId} ${outcome.kind}`);
    if (outcome.kind === 'acknowledged') this.#acknowledged += 1;
  }

  /** Somebody comes to the reader every few seconds. */
  async #visit(reader: SimulatedReader): Promise<void> {
    const random = this.#random.fork(`visitors/${reader.id}`);
    const cards = this.#site.credentials.flatMap(({ identifiers }) => identifiers.map(cardBitsOf));
    while (!this.#closed) {
      await sleep(this.#clock, PRESENTATION_PAUSE_MS + random.between(0, 10_000));
      if (!reader.device.powered || this.#closed) continue;
      const card: CardBits = random.pick(cards);
      this.#cards.presented(reader.id, card, this.#healthy ? DELIVERY_MAX_MS : undefined);
      this.#trace(`present ${reader.id}`);
      reader.presentCard(card);
    }
  }

  #setFaults(): void {
    const random = this.#random.fork('rates');
    for (const line of this.#lines.values()) {
      const rates = LINE_FAULTS.map((fault) => [fault, random.between(0, FAULT_RATE_MAX)] as const);
      line.faults.setRates(Object.fromEntries(rates));
    }
  }

  /** Devices and cables fail now and then; whatever it was is whole again before the faulty time is over. */
  async #breakThings(untilMs: number): Promise<void> {
    const random = this.#random.fork('things');
    for (;;) {
      await sleep(this.#clock, random.between(2_000, 12_000));
      const lastsMs = random.between(200, 12_000);
      if (this.#clock.monotonicMs() + lastsMs > untilMs) break;
      const device = random.pick([...this.#built.devices.values()]);
      const link = random.pick([...this.#links.values()]);
      const fault = random.pick(DEVICE_FAULTS);
      this.#trace(`fault ${fault} ${device.id}`);
      this.#fired.set(fault, (this.#fired.get(fault) ?? 0) + 1);
      switch (fault) {
        case 'powerCycle':
          device.powerCycle(lastsMs);
          break;
        case 'cutStub':
          device.setConnected(false);
          this.#clock.setTimer(lastsMs, () => device.setConnected(true));
          break;
        case 'unplugAdapter':
          link.unplug();
          this.#clock.setTimer(lastsMs, () => link.plugIn());
          break;
        case 'busy':
          device.beBusy(random.integer(1, 3));
          break;
      }
    }
    if (this.options.defect === 'deafDevice') [...this.#built.devices.values()].at(-1)?.setConnected(false);
  }
}

/** A lock that fails safe is released by a power cut: physics, and no command. */
function withPoweredLocks(site: SiteFile): SiteFile {
  return { ...site, doors: site.doors.map((door) => ({ ...door, lock: { ...door.lock, type: 'failSecure' } })) };
}
