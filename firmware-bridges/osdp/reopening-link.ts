import type { SparcError } from '@sparc/protocol/errors';
import type { ByteLink, ByteLinkHandlers, Clock, Timer } from '@sparc/protocol/ports';

/** One open connection to the far end. */
export interface Transport {
  write(bytes: Uint8Array): void;
  /** Absent where the far end sets the rate. */
  setBaudRate?(baudRate: number): Promise<void>;
  /** Resolves when the far end is free for others. */
  close(): Promise<void>;
}

export interface TransportEvents {
  onData(bytes: Uint8Array): void;
  /** The connection ended by itself. Without an error it is to be renewed, which nobody needs to hear of if it succeeds. */
  onEnd(error?: SparcError): void;
}

/** Opens a transport or rejects with a SparcError; gives up soon after the signal aborts. */
export type OpenTransport = (events: TransportEvents, baudRate: number, signal: AbortSignal) => Promise<Transport>;

const BACK_OFF_MIN_MS = 100;
/** An adapter that returns is in use again after at most this long. */
const BACK_OFF_MAX_MS = 3_000;
/** A connection that lasted this long was a good one: the next attempt comes at once. */
const STABLE_MS = 5_000;

/** Keeps one transport open for ever: opens in the background, reopens with back-off, reports each new reason once. */
export class ReopeningLink implements ByteLink {
  #handlers: ByteLinkHandlers | undefined;
  #transport: Transport | undefined;
  #opening: Promise<void> | undefined;
  #timer: Timer | undefined;
  readonly #stopping = new AbortController();
  #backOffMs = BACK_OFF_MIN_MS;
  /** What the handlers heard last: `open` or the code of an error. */
  #reported = '';

  constructor(
    readonly name: string,
    private currentBaudRate: number,
    readonly canSetBaudRate: boolean,
    private readonly clock: Clock,
    private readonly open: OpenTransport,
  ) {}

  get baudRate(): number {
    return this.currentBaudRate;
  }

  start(handlers: ByteLinkHandlers): void {
    this.#handlers = handlers;
    this.#reopenAfter(0);
  }

  write(bytes: Uint8Array): void {
    this.#transport?.write(bytes);
  }

  async setBaudRate(baudRate: number): Promise<void> {
    if (!this.canSetBaudRate) return;
    this.currentBaudRate = baudRate;
    await this.#transport?.setBaudRate?.(baudRate);
  }

  async stop(): Promise<void> {
    this.#handlers = undefined;
    this.#timer?.cancel();
    this.#stopping.abort();
    await this.#opening;
    const transport = this.#transport;
    this.#transport = undefined;
    await transport?.close();
  }

  #reopenAfter(delayMs: number): void {
    this.#timer = this.clock.setTimer(delayMs, () => {
      this.#opening = this.#openOnce();
    });
  }

  async #openOnce(): Promise<void> {
    const openedAtMs = this.clock.monotonicMs();
    const state = { ended: false };
    const events: TransportEvents = {
      onData: (bytes) => {
        if (!state.ended) this.#handlers?.onData(bytes);
      },
      onEnd: (error) => {
        if (state.ended) return;
        state.ended = true;
        this.#transport = undefined;
        if (this.clock.monotonicMs() - openedAtMs >= STABLE_MS) this.#backOffMs = BACK_OFF_MIN_MS;
        this.#lost(error);
      },
    };
    try {
      const transport = await this.open(events, this.currentBaudRate, this.#stopping.signal);
      if (state.ended) return;
      this.#transport = transport;
    } catch (error) {
      state.ended = true;
      this.#lost(error as SparcError);
      return;
    }
    if (this.#handlers !== undefined && this.#reported !== 'open') {
      this.#reported = 'open';
      this.#handlers.onOpen();
    }
  }

  #lost(error: SparcError | undefined): void {
    if (this.#handlers === undefined) return;
    this.#reopenAfter(this.#backOffMs);
    this.#backOffMs = Math.min(this.#backOffMs * 2, BACK_OFF_MAX_MS);
    if (error === undefined || this.#reported === error.code) return;
    this.#reported = error.code;
    this.#handlers.onDown(error);
  }
}
