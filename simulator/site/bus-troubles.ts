import { PdDevice, pdProfile, READER_QUIRK_NAMES, type ReaderQuirk } from '../devices/index.js';
import { LINE_CONDITIONS, LINE_FAULTS, sleep, type SeededRandom } from '../world/index.js';
import type { BusRig } from './bus-rig.js';

/** What goes wrong with devices and cables, beside the faults of a line and the quirks of readers. */
export const DEVICE_FAULTS = [
  'powerCycle',
  'cutStub',
  /** The wires of a stub are exchanged. */
  'crossedWires',
  /** Only this device's stub damages what passes. */
  'badStub',
  'unplugAdapter',
  'busy',
  /** Somebody hangs up a second device with an address that is taken. */
  'collision',
  ...LINE_CONDITIONS,
] as const;

/** Quirks that show while a device is commissioned, or while a file or a chip card is read: another world's. */
const OTHER_WORLDS: readonly ReaderQuirk[] = [
  'refusesComsetInClear',
  'comsetIgnoresBaud',
  'comsetWithoutEffect',
  'dropsSessionAfterKeyset',
  'ackKeysetInClear',
  'xrdPreply1',
  'exclusiveTransfer',
  'slowTransfer',
];
export const BUS_QUIRKS = READER_QUIRK_NAMES.filter((quirk) => !OTHER_WORLDS.includes(quirk));
/** Those that cost time, sessions or reads. A healthy world has none of them. */
const ROUGH_QUIRKS: readonly ReaderQuirk[] = [
  'fmtCards',
  'busyOften',
  'lateReplies',
  'resetsOften',
  'answersClearInSession',
  'echoesExpectedSequence',
  'nakDoesNotCount',
];

const FAULT_RATE_MAX = 0.02;
const BAD_STUB = { corrupt: 0.2, drop: 0.1 };
const NEXT_MIN_MS = 1_500;
const NEXT_MAX_MS = 8_000;
const LASTS_MIN_MS = 200;
const LASTS_MAX_MS = 10_000;
const QUIRKS_PER_DEAL = 2;
const DEAL_MS = 3_000;
const EXCHANGE_MS = 100;

/** Breaks lines, cables and readers of a rig, and repairs them. */
export class BusTroubles {
  readonly fired = new Map<string, number>();
  readonly #random: SeededRandom;
  readonly #twins: readonly PdDevice[];

  constructor(
    private readonly rig: BusRig,
    random: SeededRandom,
    baudRate: number,
  ) {
    this.#random = random.fork('things');
    this.#twins = [...rig.lines].map(([busId, line]) => {
      const address = rig.site.devices.find(({ bus }) => bus === busId)?.address ?? 0;
      const profile = pdProfile({ address, baudRate, serial: 1, readerCount: 1, inputCount: 0, outputCount: 0 });
      const twin = new PdDevice(rig.clock, random.fork(`twin/${busId}`), line, `twin/${busId}`, profile);
      twin.setConnected(false);
      return twin;
    });
    const rates = random.fork('rates');
    for (const { faults } of rig.lines.values()) {
      faults.setRates(Object.fromEntries(LINE_FAULTS.map((fault) => [fault, rates.between(0, FAULT_RATE_MAX)])));
    }
  }

  /** Whatever breaks is whole again before the time is over. */
  async run(untilMs: number): Promise<void> {
    const { clock } = this.rig;
    void this.#dealQuirks(untilMs);
    const faults: (typeof DEVICE_FAULTS)[number][] = [];
    for (;;) {
      await sleep(clock, this.#random.between(NEXT_MIN_MS, NEXT_MAX_MS));
      const lastsMs = this.#random.between(LASTS_MIN_MS, LASTS_MAX_MS);
      if (clock.monotonicMs() + lastsMs > untilMs) break;
      if (faults.length === 0) faults.push(...this.#random.shuffle(DEVICE_FAULTS));
      const fault = faults.pop();
      if (fault !== undefined) this.#break(fault, lastsMs);
    }
  }

  /** Lines are clean; readers keep the quirks that anybody can live with. */
  heal(): void {
    for (const { faults } of this.rig.lines.values()) faults.heal();
    for (const device of this.rig.built.devices.values()) {
      device.setQuirks(device.quirks.names.filter((quirk) => !ROUGH_QUIRKS.includes(quirk)));
    }
  }

  /** Every few seconds a device is exchanged for one with other quirks; all have their turn, and again. */
  async #dealQuirks(untilMs: number): Promise<void> {
    const random = this.#random.fork('quirks');
    const devices = [...this.rig.built.devices.values()];
    const deck: ReaderQuirk[] = [];
    while (this.rig.clock.monotonicMs() < untilMs) {
      if (deck.length < QUIRKS_PER_DEAL) deck.push(...random.shuffle(BUS_QUIRKS));
      const device = random.pick(devices);
      const quirks = deck.splice(0, QUIRKS_PER_DEAL);
      this.rig.trace(`quirks ${device.id} ${quirks.join()}`);
      device.powerCycle(EXCHANGE_MS);
      device.setQuirks(quirks);
      await sleep(this.rig.clock, DEAL_MS);
    }
  }

  #break(fault: (typeof DEVICE_FAULTS)[number], lastsMs: number): void {
    const { rig } = this;
    const device = this.#random.pick([...rig.built.devices.values()]);
    const [busId, line] = this.#random.pick([...rig.lines]);
    rig.trace(`fault ${fault} ${device.id} ${busId}`);
    this.fired.set(fault, (this.fired.get(fault) ?? 0) + 1);
    const later = (repair: () => void) => rig.clock.setTimer(lastsMs, repair);
    switch (fault) {
      case 'powerCycle':
        device.powerCycle(lastsMs);
        return;
      case 'cutStub':
        device.setConnected(false);
        later(() => device.setConnected(true));
        return;
      case 'crossedWires':
        device.stub.crossed = true;
        later(() => (device.stub.crossed = false));
        return;
      case 'badStub':
        device.stub.faults.setRates(BAD_STUB);
        later(() => device.stub.faults.heal());
        return;
      case 'unplugAdapter':
        rig.links.get(busId)?.unplug();
        later(() => rig.links.get(busId)?.plugIn());
        return;
      case 'busy':
        device.beBusy(this.#random.integer(1, 3));
        return;
      case 'collision': {
        const twin = this.#twins.find(({ id }) => id === `twin/${busId}`);
        twin?.setConnected(true);
        later(() => twin?.setConnected(false));
        return;
      }
      case 'stuckMark':
      case 'shortToGround':
        line.condition = fault;
        later(() => (line.condition = undefined));
        return;
    }
  }
}
