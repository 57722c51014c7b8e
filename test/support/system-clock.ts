import type { Clock } from '@sparc/protocol/ports';

/** Real time, for tests on real lines. What still waits when a test is over does not keep its process. */
export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  wall: () => ({ unixMs: Date.now(), quality: 'unsynced' }),
  setTimer(delayMs, callback) {
    const timer = setTimeout(callback, delayMs).unref();
    return { cancel: () => clearTimeout(timer) };
  },
};
