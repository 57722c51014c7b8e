import { frameLength, MARK } from './frame.js';
import { RunningCheck } from './running-check.js';

/** What a parser has seen since it was made. */
export interface ParserCounts {
  readonly frames: number;
  /** Would-be frames of possible length whose check was wrong. */
  readonly badChecks: number;
  /** Would-be frames that silence cut short. */
  readonly cutShort: number;
  /** Bytes that belonged to no frame, marks (0xFF) apart. */
  readonly strayBytes: number;
}

export interface ParserState {
  /** The start of a frame that is not whole yet: empty, or from SOM on and shorter than the longest frame. */
  readonly held: RunningCheck;
  readonly lastByteMs: number;
  readonly counts: ParserCounts;
}

export interface Parsed {
  readonly state: ParserState;
  /** Whole frames with a right check, from SOM on, whatever their address and direction. */
  readonly frames: readonly Uint8Array[];
}

/** Silence inside a frame that ends it, where the line itself is read (SIA OSDP v2.2, "Timing"). */
export const INTER_CHARACTER_TIMEOUT_MS = 20;
/** The same behind USB adapters and TCP converters, which deliver in bursts: mid-frame gaps of 110 ms were recorded. */
export const BUFFERED_INTER_CHARACTER_TIMEOUT_MS = 150;

export const EMPTY_PARSER: ParserState = {
  held: RunningCheck.EMPTY,
  lastByteMs: 0,
  counts: { frames: 0, badChecks: 0, cutShort: 0, strayBytes: 0 },
};

/** Takes what came over the line. What was held from before a silence longer than `timeoutMs` is searched anew first. */
export function parseBytes(state: ParserState, bytes: Uint8Array, nowMs: number, timeoutMs: number): Parsed {
  const before = nowMs - state.lastByteMs > timeoutMs ? parseSilence(state) : { state, frames: [] };
  const after = scan({ ...before.state, held: before.state.held.followedBy(bytes), lastByteMs: nowMs }, false);
  return { state: after.state, frames: [...before.frames, ...after.frames] };
}

/** The line has gone silent: what is held is no frame, but one may have begun inside it. */
export function parseSilence(state: ParserState): Parsed {
  return state.held.bytes.length === 0 ? { state, frames: [] } : scan(state, true);
}

/**
 * Finds every frame. Whatever turns out to be none costs one byte, its SOM: a SOM in garbage must not eat the next frame.
 * A frame inside another that is not whole yet is never taken, since its bytes may be data that a card holder chose.
 */
function scan(state: ParserState, silent: boolean): Parsed {
  const { bytes } = state.held;
  const frames: Uint8Array[] = [];
  let { badChecks, cutShort, strayBytes } = state.counts;
  let start = 0;
  while (start < bytes.length) {
    const length = frameLength(bytes, start);
    const whole = typeof length === 'number' && start + length <= bytes.length;
    if (whole) {
      if (state.held.isRight(start, length)) {
        frames.push(bytes.slice(start, start + length));
        start += length;
        continue;
      }
      badChecks += 1;
    } else if (length !== 'invalid') {
      if (!silent) break;
      cutShort += 1;
    }
    if (bytes[start] !== MARK) strayBytes += 1;
    start += 1;
  }
  const counts = { frames: state.counts.frames + frames.length, badChecks, cutShort, strayBytes };
  return { state: { ...state, held: state.held.without(start), counts }, frames };
}

/** The parser with its state inside, for drivers of a line. */
export class FrameParser {
  #state = EMPTY_PARSER;

  /** @param timeoutMs silence that ends a frame in the middle. */
  constructor(readonly timeoutMs: number = INTER_CHARACTER_TIMEOUT_MS) {}

  get counts(): ParserCounts {
    return this.#state.counts;
  }

  /** True while part of a frame is held. */
  get pending(): boolean {
    return this.#state.held.bytes.length > 0;
  }

  push(bytes: Uint8Array, nowMs: number): readonly Uint8Array[] {
    return this.#take(parseBytes(this.#state, bytes, nowMs, this.timeoutMs));
  }

  /** Call when no reply came in time: a frame may be held behind a false start. */
  silence(): readonly Uint8Array[] {
    return this.#take(parseSilence(this.#state));
  }

  #take({ state, frames }: Parsed): readonly Uint8Array[] {
    this.#state = state;
    return frames;
  }
}
