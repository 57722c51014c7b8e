import { randomBytes } from 'node:crypto';
import type { Clock, Random, Timer, WallTime } from '@sparc/protocol/ports';

/** Real time, until it is stopped. The machine's own clock service keeps it, so it counts as synced. */
export class LiveClock implements Clock {
  readonly #timers = new Set<NodeJS.Timeout>();
  #isStopped = false;

  monotonicMs(): number {
    return performance.now();
  }

  wall(): WallTime {
    return { unixMs: Date.now(), quality: 'synced' };
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    if (this.#isStopped) return { cancel: () => undefined };
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      callback();
    }, delayMs);
    this.#timers.add(timer);
    return {
      cancel: () => {
        this.#timers.delete(timer);
        clearTimeout(timer);
      },
    };
  }

  /** No timer fires any more, and none keeps the process. */
  stop(): void {
    this.#isStopped = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }
}

export const strongRandom: Random = { bytes: (length) => Uint8Array.from(randomBytes(length)) };
