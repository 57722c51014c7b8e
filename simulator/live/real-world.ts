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

/** A timer of Node waits for a millisecond at least, which a line feels; without a delay the next turn of the loop will do. */
function wait(delayMs: number, callback: () => void): Timer {
  if (delayMs <= 0) {
    const immediate = setImmediate(callback);
    return { cancel: () => clearImmediate(immediate) };
  }
  const timeout = setTimeout(callback, delayMs);
  return { cancel: () => clearTimeout(timeout) };
}

export const strongRandom: Random = { bytes: (length) => Uint8Array.from(randomBytes(length)) };
