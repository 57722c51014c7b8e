import { randomBytes } from 'node:crypto';
import type { Clock, Random, Timer, WallTime } from '@sparc/protocol/ports';

/** Real time, until it is stopped. The machine's own clock service keeps it, so it counts as synced. */
export class LiveClock implements Clock {
  readonly #waiting = new Set<Timer>();
  #isStopped = false;

  monotonicMs(): number {
    return performance.now();
  }

  wall(): WallTime {
    return { unixMs: Date.now(), quality: 'synced' };
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    if (this.#isStopped) return { cancel: () => undefined };
    const handle = wait(delayMs, () => {
      this.#waiting.delete(timer);
      callback();
    });
    const timer = {
      cancel: () => {
        this.#waiting.delete(timer);
        handle.cancel();
      },
    };
    this.#waiting.add(timer);
    return timer;
  }

  /** No timer fires any more, and none keeps the process. */
  stop(): void {
    this.#isStopped = true;
    for (const timer of this.#waiting) timer.cancel();
  }
}

/**
 * Never early, and not late by the millisecond that a timer of Node lasts at least: a line that delivers a frame before
 * its last bit has passed makes the answer collide with it.
 */
function wait(delayMs: number, callback: () => void): Timer {
  const dueMs = performance.now() + delayMs;
  const look = () => {
    const restMs = dueMs - performance.now();
    if (restMs <= 0) callback();
    else pending = restMs < 1 ? soon(look) : after(restMs, look);
  };
  let pending = soon(look);
  return { cancel: () => pending.cancel() };
}

function soon(look: () => void): Timer {
  const immediate = setImmediate(look);
  return { cancel: () => clearImmediate(immediate) };
}

function after(delayMs: number, look: () => void): Timer {
  const timeout = setTimeout(look, delayMs);
  return { cancel: () => clearTimeout(timeout) };
}

export const strongRandom: Random = { bytes: (length) => Uint8Array.from(randomBytes(length)) };

/** An instant of `LiveClock`, in milliseconds since 1970. */
export const unixMsOf = (monotonicMs: number): number => Math.floor(Date.now() - performance.now() + monotonicMs);
