import type { Clock } from '@sparc/protocol/ports';

/** Longer time-outs overflow in Node and fire at once. */
const TIMEOUT_MAX_MS = 2 ** 31 - 1;

/** The machine's clocks. Whoever runs a server keeps it in time, so its wall time counts as synced. */
export const nodeClock: Clock = {
  monotonicMs: () => performance.now(),
  wall: () => ({ unixMs: Date.now(), quality: 'synced' }),
  setTimer(delayMs, callback) {
    const timer = setTimeout(callback, Math.min(Math.ceil(delayMs), TIMEOUT_MAX_MS));
    return { cancel: () => clearTimeout(timer) };
  },
};
