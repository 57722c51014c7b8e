import {
  BUFFERED_INTER_CHARACTER_TIMEOUT_MS,
  createPd,
  nextTimeMs,
  stepPd,
  type PdEffect,
  type PdEvent,
  type PdInput,
  type PdOptions,
  type PdState,
} from '@sparc/protocol/osdp';
import type { ByteLink, Timer } from '@sparc/protocol/ports';
import { pdProfile } from '@sparc/simulator/devices';
import { SeededRandom } from '@sparc/simulator/world';
import { systemClock } from '../support/system-clock.js';
import { BAUD_RATE } from './libosdp-line.js';

export type Doing = Exclude<PdEffect, { kind: 'transmit' }>;

export type OurPdOptions = Partial<PdOptions> & Pick<PdOptions, 'address'>;

/** One PD machine on a real line. */
export class OurPd {
  /** What it was made to do, in order. */
  readonly doings: Doing[] = [];
  /** Answers what the device around the PD is asked for. */
  onDoing: (doing: Doing) => PdEvent | undefined = () => undefined;
  secure = false;
  #state: PdState;
  #timer: Timer | undefined;
  readonly #random: SeededRandom;

  constructor(
    private readonly transmit: (bytes: Uint8Array) => void,
    { address, scbk, ...options }: OurPdOptions,
  ) {
    const parts = { readerCount: 1, inputCount: 4, outputCount: 2, ...(scbk === undefined ? {} : { scbk }) };
    this.#random = new SeededRandom(address);
    this.#state = createPd({
      ...pdProfile({ address, baudRate: BAUD_RATE, ...parts }),
      interCharacterTimeoutMs: BUFFERED_INTER_CHARACTER_TIMEOUT_MS,
      ...options,
    });
  }

  get address(): number {
    return this.#state.address;
  }

  hear(bytes: Uint8Array): void {
    this.step({ kind: 'bytes', nowMs: systemClock.monotonicMs(), bytes, rndB: this.#random.bytes(8) });
  }

  report(event: PdEvent): void {
    this.step({ kind: 'event', nowMs: systemClock.monotonicMs(), event });
  }

  reset(): void {
    this.step({ kind: 'reset', nowMs: systemClock.monotonicMs() });
  }

  stop(): void {
    this.#timer?.cancel();
  }

  step(input: PdInput): void {
    const { state, effects } = stepPd(this.#state, input);
    this.#state = state;
    for (const effect of effects) {
      if (effect.kind === 'transmit') {
        systemClock.setTimer(effect.delayMs, () => this.transmit(effect.bytes));
        continue;
      }
      if (effect.kind === 'session') this.secure = effect.secure;
      this.doings.push(effect);
      const answer = this.onDoing(effect);
      if (answer !== undefined) queueMicrotask(() => this.report(answer));
    }
    this.#timer?.cancel();
    const atMs = nextTimeMs(state);
    if (atMs === undefined) return;
    const nowMs = systemClock.monotonicMs();
    this.#timer = systemClock.setTimer(Math.max(1, atMs - nowMs), () =>
      this.step({ kind: 'time', nowMs: systemClock.monotonicMs() }),
    );
  }
}

/** Our PDs at the end of a link: each hears the ACU and all others. */
export class OurPds {
  readonly pds: readonly OurPd[];

  constructor(
    private readonly link: ByteLink,
    options: readonly OurPdOptions[],
  ) {
    this.pds = options.map((each) => {
      const pd: OurPd = new OurPd((bytes) => {
        link.write(bytes);
        for (const other of this.pds) if (other !== pd) other.hear(bytes);
      }, each);
      return pd;
    });
    link.start({
      onOpen: () => undefined,
      onDown: () => undefined,
      onData: (bytes) => {
        for (const pd of this.pds) pd.hear(bytes);
      },
    });
  }

  pd(index = 0): OurPd {
    const pd = this.pds[index];
    if (pd === undefined) throw new RangeError(`no PD ${index}`);
    return pd;
  }

  async stop(): Promise<void> {
    for (const pd of this.pds) pd.stop();
    await this.link.stop();
  }
}
