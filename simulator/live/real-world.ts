import { randomBytes } from 'node:crypto';
import type { Clock, Random } from '@sparc/protocol/ports';

/** Real time. The machine's own clock service keeps it, so it counts as synced. */
export const realClock: Clock = {
  monotonicMs: () => performance.now(),
  wall: () => ({ unixMs: Date.now(), quality: 'synced' }),
  setTimer(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
};

export const strongRandom: Random = { bytes: (length) => Uint8Array.from(randomBytes(length)) };
