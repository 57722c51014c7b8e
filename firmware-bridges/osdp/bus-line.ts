import type { SparcError } from '@sparc/protocol/errors';
import {
  BUFFERED_INTER_CHARACTER_TIMEOUT_MS,
  FRAME_LENGTH_MAX,
  FrameParser,
  INTER_CHARACTER_TIMEOUT_MS,
} from '@sparc/protocol/osdp';
import type { ByteLink, Clock, Timer } from '@sparc/protocol/ports';
import { EchoFilter } from './echo-filter.js';
import type { LineWatch } from './line-watch.js';
import { LoadMeter } from './load-meter.js';

const BITS_PER_CHARACTER = 10;
/** Between the last byte on the line and the next frame (IEC 60839-11-5, 5.7). */
const IDLE_CHARACTERS = 2;
/** A line that never falls silent is written to after this long all the same. */
const SILENCE_WAIT_MAX_MS = 50;
const REPLY_BIT = 0x80;

/** One frame as it passed, from SOM to its check. */
export interface TappedFrame {
  readonly atMs: number;
  readonly direction: 'acu' | 'pd';
  readonly bytes: Uint8Array;
}

export type Tap = (frame: TappedFrame) => void;

export interface BusLineHandlers {
  onOpen(): void;
  onDown(error: SparcError): void;
  /** A whole frame with a good check and the reply bit, in or out of time. */
  onFrame(bytes: Uint8Array, nowMs: number): void;
  /** Nothing more is to be expected of the frame that was sent. `garbled`: bytes came that were no frame. */
  onSilence(nowMs: number, garbled: boolean): void;
}

/** A half-duplex line as frames and silences: one frame out, then what answers it. Whose turn it is others decide. */
export class BusLine {
  readonly #parser = new FrameParser(BUFFERED_INTER_CHARACTER_TIMEOUT_MS);
  readonly #echo = new EchoFilter();
  readonly #load: LoadMeter;
  readonly #taps = new Set<Tap>();
  #handlers: BusLineHandlers | undefined;
  #up = false;
  #replyTimer: Timer | undefined;
  #turnBeganAtMs: number | undefined;
  /** Stray bytes that the parser had counted when the current turn began. */
  #strayBytesBefore = 0;
  #lastByteAtMs = -Infinity;
  #turnEndedAtMs = -Infinity;
  #quietUntilMs = -Infinity;
  #silenceWaitEndMs: number | undefined;

  constructor(
    private readonly clock: Clock,
    readonly link: ByteLink,
    private readonly watch: LineWatch,
  ) {
    this.#load = new LoadMeter(clock.monotonicMs());
  }

  get up(): boolean {
    return this.#up;
  }

  get echo(): boolean {
    return this.#echo.heard;
  }

  /** A turn has begun in which no reply is due: nothing was sent yet, or the time for it is over. */
  get awaitsNothing(): boolean {
    return this.#turnBeganAtMs !== undefined && this.#replyTimer === undefined;
  }

  get load(): number {
    return this.#load.read(this.clock.monotonicMs());
  }

  start(handlers: BusLineHandlers): void {
    this.#handlers = handlers;
    this.link.start({
      onOpen: () => {
        this.#up = true;
        handlers.onOpen();
      },
      onData: (bytes) => this.#receive(bytes),
      onDown: (error) => {
        this.#close();
        handlers.onDown(error);
      },
    });
  }

  async stop(): Promise<void> {
    this.#close();
    this.#handlers = undefined;
    await this.link.stop();
  }

  /** Every frame in both directions, until the returned function is called. */
  tap(listener: Tap): () => void {
    this.#taps.add(listener);
    return () => this.#taps.delete(listener);
  }

  /** Silence before each frame. */
  get idleMs(): number {
    return this.lineMs(IDLE_CHARACTERS);
  }

  /** How long so many characters take. */
  lineMs(characters: number): number {
    return (characters * BITS_PER_CHARACTER * 1_000) / this.link.baudRate;
  }

  /** For whoever wants to send: how long the line has to stay silent before; 0: not at all. */
  busyForMs(): number {
    const nowMs = this.clock.monotonicMs();
    this.#silenceWaitEndMs ??= nowMs + SILENCE_WAIT_MAX_MS;
    const silentAtMs = Math.max(this.#lastByteAtMs, this.#turnEndedAtMs) + this.idleMs;
    const freeAtMs = Math.max(this.#quietUntilMs, Math.min(silentAtMs, this.#silenceWaitEndMs));
    if (nowMs >= freeAtMs) this.#silenceWaitEndMs = undefined;
    return Math.max(0, freeAtMs - nowMs);
  }

  /** What is still held belongs to no turn any more. */
  beginTurn(): void {
    this.#parser.silence();
    this.#countStrayBytes();
    this.#turnBeganAtMs = this.clock.monotonicMs();
  }

  endTurn(): void {
    const nowMs = this.clock.monotonicMs();
    this.#stopWaiting();
    if (this.#turnBeganAtMs !== undefined) this.#load.add(nowMs - this.#turnBeganAtMs, nowMs);
    this.#turnBeganAtMs = undefined;
    this.#turnEndedAtMs = nowMs;
  }

  /** `onSilence` follows so long after the last byte has left, unless the turn ends before. */
  transmit(bytes: Uint8Array, address: number, replyTimeoutMs: number): void {
    const nowMs = this.clock.monotonicMs();
    this.watch.asked(address);
    this.#echo.sent(bytes);
    this.#tell({ atMs: nowMs, direction: 'acu', bytes: bytes.subarray(1) });
    this.link.write(bytes);
    const timeoutMs = this.lineMs(bytes.length) + replyTimeoutMs;
    const latestMs = nowMs + timeoutMs + this.lineMs(FRAME_LENGTH_MAX);
    this.#stopWaiting();
    this.#replyTimer = this.clock.setTimer(timeoutMs, () => this.#replyTimeout(latestMs));
  }

  /**
   * Everything written has left when it resolves. Receivers at the other rate have heard rubbish: the line then stays
   * silent until they have given it up.
   */
  async setBaudRate(baudRate: number): Promise<void> {
    await this.link.setBaudRate(baudRate);
    this.#parser.silence();
    this.#quietUntilMs = this.clock.monotonicMs() + INTER_CHARACTER_TIMEOUT_MS + this.idleMs;
  }

  #close(): void {
    this.#up = false;
    this.endTurn();
  }

  #stopWaiting(): void {
    this.#replyTimer?.cancel();
    this.#replyTimer = undefined;
  }

  #receive(bytes: Uint8Array): void {
    if (!this.#up) return;
    this.#lastByteAtMs = this.clock.monotonicMs();
    const admitted = this.watch.admit(this.#echo.admit(bytes));
    this.#receiveFrames(this.#parser.push(admitted, this.#lastByteAtMs));
  }

  #receiveFrames(frames: readonly Uint8Array[]): void {
    const nowMs = this.clock.monotonicMs();
    for (const frame of frames) {
      const address = frame[1] ?? 0;
      // An echo that noise kept from being recognised: no reply bit.
      if ((address & REPLY_BIT) === 0) continue;
      this.watch.answered(address & ~REPLY_BIT, nowMs);
      this.#tell({ atMs: nowMs, direction: 'pd', bytes: frame });
      if (this.#turnBeganAtMs === undefined) this.watch.stray(frame.length, nowMs);
      else this.#handlers?.onFrame(frame, nowMs);
    }
  }

  /** A reply that has begun in time may end, as long as its bytes keep coming. */
  #replyTimeout(latestMs: number): void {
    this.#replyTimer = undefined;
    const nowMs = this.clock.monotonicMs();
    const endMs = Math.min(this.#lastByteAtMs + BUFFERED_INTER_CHARACTER_TIMEOUT_MS, latestMs);
    if (this.#parser.pending && nowMs < endMs) {
      this.#replyTimer = this.clock.setTimer(endMs - nowMs, () => this.#replyTimeout(latestMs));
      return;
    }
    const turn = this.#turnBeganAtMs;
    // The reply may be held behind a false start.
    this.#receiveFrames(this.#parser.silence());
    if (turn === undefined || turn !== this.#turnBeganAtMs) return;
    this.#handlers?.onSilence(nowMs, this.#countStrayBytes() > 0);
  }

  /** Since the last call. */
  #countStrayBytes(): number {
    const count = this.#parser.counts.strayBytes - this.#strayBytesBefore;
    this.#strayBytesBefore += count;
    if (count > 0) this.watch.stray(count, this.clock.monotonicMs());
    return count;
  }

  #tell(frame: TappedFrame): void {
    for (const tap of this.#taps) tap(frame);
  }
}
