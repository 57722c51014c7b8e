import type { Clock } from '@sparc/protocol/ports';

/** Real time, for tests on real lines. */
export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  wall: () => ({ unixMs: Date.now(), quality: 'unsynced' }),
  setTimer(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
};
