import type { Clock } from '@sparc/protocol/ports';
import { LineFaults, type LineCondition, type LineFault } from './line-faults.js';
import type { SeededRandom } from './seeded-random.js';

/** 8 data bits, no parity: with start and stop bit ten bit times a character (IEC 60839-11-5, 5.1). */
const BITS_PER_CHARACTER = 10;

const DELAY_MIN_MS = 50;
const DELAY_MAX_MS = 400;
const SPLIT_PAUSE_MIN_MS = 5;
const SPLIT_PAUSE_MAX_MS = 120;
const NOISE_BYTES_MAX = 12;
const BABBLE_BYTES_MAX = 40;
/** The latency timer of a USB adapter. */
const ADAPTER_TICK_MS = 16;

/** One party on the line. */
export interface LinePort {
  readonly name: string;
  baudRate: number;
  /** A cut stub neither hears nor is heard. */
  connected: boolean;
  /** The two wires of its stub are exchanged: it hears and is heard inverted. */
  crossed: boolean;
  /** Of its stub, beside those of the line. */
  readonly faults: LineFaults;
  transmit(bytes: Uint8Array): void;
  /** Milliseconds of line time that bytes handed over, but not yet sent, still need. */
  backlogMs(): number;
}

/** Everything one transmission did, for a trace or a monitor. */
export interface LineRecord {
  readonly atMs: number;
  readonly from: string;
  readonly bytes: Uint8Array;
  readonly faults: ReadonlySet<LineFault>;
  readonly collided: boolean;
}

interface Party extends LinePort {
  readonly onBytes: (bytes: Uint8Array) => void;
  busyUntilMs: number;
}

interface Transmission {
  readonly from: Party;
  readonly endMs: number;
  readonly baudRate: number;
  collided: boolean;
}

/**
 * A half-duplex multi-drop line: whatever one party sends, every other hears when its last bit has passed. Who sends
 * at the same time garbles both; who listens at another rate hears rubbish.
 */
export class SerialLine {
  readonly faults: LineFaults;
  condition: LineCondition | undefined;
  onRecord: (record: LineRecord) => void = () => undefined;
  /** Bytes that were on the line since the start, of everybody. */
  bytesCarried = 0;
  collisions = 0;
  readonly #parties: Party[] = [];
  #onLine: Transmission[] = [];
  #babbler: LinePort | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly random: SeededRandom,
  ) {
    this.faults = new LineFaults(random.fork('faults'));
  }

  attach(name: string, baudRate: number, onBytes: (bytes: Uint8Array) => void): LinePort {
    const party: Party = {
      name,
      baudRate,
      connected: true,
      crossed: false,
      faults: new LineFaults(this.random.fork(`faults/${name}`)),
      onBytes,
      busyUntilMs: 0,
      transmit: (bytes) => this.#transmit(party, Uint8Array.from(bytes)),
      backlogMs: () => Math.max(0, party.busyUntilMs - this.clock.monotonicMs()),
    };
    this.#parties.push(party);
    return party;
  }

  #transmit(from: Party, bytes: Uint8Array): void {
    if (!from.connected || bytes.length === 0) return;
    const nowMs = this.clock.monotonicMs();
    const startMs = Math.max(nowMs, from.busyUntilMs);
    const durationMs = (bytes.length * BITS_PER_CHARACTER * 1000) / from.baudRate;
    from.busyUntilMs = startMs + durationMs;
    this.bytesCarried += bytes.length;
    this.clock.setTimer(startMs - nowMs, () => {
      const transmission: Transmission = {
        from,
        endMs: startMs + durationMs,
        baudRate: from.baudRate,
        collided: false,
      };
      this.#collide(transmission);
      this.clock.setTimer(durationMs, () => this.#arrive(transmission, bytes));
    });
  }

  #collide(transmission: Transmission): void {
    const nowMs = this.clock.monotonicMs();
    this.#onLine = this.#onLine.filter(({ endMs }) => endMs > nowMs);
    for (const other of this.#onLine) {
      if (other.from === transmission.from) continue;
      other.collided = true;
      transmission.collided = true;
      this.collisions += 1;
    }
    this.#onLine.push(transmission);
  }

  #arrive(transmission: Transmission, sent: Uint8Array): void {
    const { from, collided, baudRate } = transmission;
    const faults = new Set([...this.faults.draw(baudRate), ...from.faults.draw(baudRate)]);
    this.onRecord({ atMs: this.clock.monotonicMs(), from: from.name, bytes: sent, faults, collided });
    if (faults.has('babble')) this.#babble(from);
    if (this.condition === 'stuckMark') return;
    const onWire = from.crossed ? inverted(sent) : sent;
    const whole = this.condition === 'shortToGround' ? new Uint8Array(sent.length) : this.#damaged(onWire, faults);
    const bytes = collided ? this.random.bytes(whole.length) : whole;

    const delayMs = (faults.has('delay') ? this.random.between(DELAY_MIN_MS, DELAY_MAX_MS) : 0) + this.#tickMs(faults);
    const cutIndex = faults.has('split') ? this.random.integer(1, Math.max(1, bytes.length - 1)) : bytes.length;
    const pauseMs = this.random.between(SPLIT_PAUSE_MIN_MS, SPLIT_PAUSE_MAX_MS);
    for (let copy = 0; copy < (faults.has('duplicate') ? 2 : 1); copy++) {
      this.#hear(transmission, bytes.subarray(0, cutIndex), delayMs, faults.has('echo'));
      this.#hear(transmission, bytes.subarray(cutIndex), delayMs + pauseMs, faults.has('echo'));
    }
  }

  #hear({ from, baudRate }: Transmission, bytes: Uint8Array, delayMs: number, echo: boolean): void {
    if (bytes.length === 0) return;
    const deliver = () => {
      for (const party of this.#parties) {
        if (!party.connected || !from.connected || (party === from && !echo)) continue;
        const arrived = this.#damaged(Uint8Array.from(bytes), party.faults.drawHeard(baudRate));
        if (arrived.length === 0) continue;
        const understood = party.baudRate === baudRate ? arrived : this.random.bytes(arrived.length);
        party.onBytes(party.crossed ? inverted(understood) : understood);
      }
    };
    if (delayMs === 0) deliver();
    else this.clock.setTimer(delayMs, deliver);
  }

  /** What is left of it. */
  #damaged(sent: Uint8Array, faults: ReadonlySet<LineFault>): Uint8Array {
    if (faults.has('drop')) return new Uint8Array(0);
    let bytes = sent;
    if (faults.has('corrupt') || faults.has('wrongTermination')) bytes = this.#corrupted(bytes);
    if (faults.has('loseByte')) {
      const lostIndex = this.random.integer(0, bytes.length - 1);
      bytes = bytes.filter((_, index) => index !== lostIndex);
    }
    return faults.has('noise') ? Uint8Array.of(...this.#noise(), ...bytes) : bytes;
  }

  /** Until the next tick of the adapter. */
  #tickMs(faults: ReadonlySet<LineFault>): number {
    return faults.has('latency') ? ADAPTER_TICK_MS - (this.clock.monotonicMs() % ADAPTER_TICK_MS) : 0;
  }

  /** Never like a frame: what it does is to garble whoever speaks. */
  #babble({ baudRate }: Party): void {
    this.#babbler ??= this.attach('babbler', baudRate, () => undefined);
    this.#babbler.baudRate = baudRate;
    this.#babbler.transmit(this.random.bytes(this.random.integer(4, BABBLE_BYTES_MAX)).map((byte) => byte & 0x2f));
  }

  #corrupted(bytes: Uint8Array): Uint8Array {
    const copy = Uint8Array.from(bytes);
    for (let flip = this.random.integer(1, 3); flip > 0; flip--) {
      const index = this.random.integer(0, copy.length - 1);
      copy[index] = (copy[index] ?? 0) ^ (1 << this.random.integer(0, 7));
    }
    return copy;
  }

  /** Half of its bytes look like the start of a frame, so that a parser which waits for them is found out. */
  #noise(): Uint8Array {
    return this.random
      .bytes(this.random.integer(1, NOISE_BYTES_MAX))
      .map((byte) => (this.random.chance(0.5) ? 0x53 : byte));
  }
}

/** As an exchanged pair is read: every bit the other way round. */
const inverted = (bytes: Uint8Array) => bytes.map((byte) => ~byte);
