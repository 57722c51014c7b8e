import type { Clock, TimeQuality, Timer } from '@sparc/protocol/ports';
import { confirmedUnixMs } from './time-evidence.js';

/** How long a look at the mark holds: the answer changes seldom, and a decision asks for it. */
const LOOK_AGAIN_MS = 10_000;

/** Longer time-outs overflow in Node and fire at once; and all may fire a fraction of a millisecond early. */
const TIMEOUT_MAX_MS = 2 ** 31 - 1;
/** No time-out of Node is shorter. */
const TIMEOUT_MIN_MS = 1;

/** The machine's clocks. Wall time counts as synced only where a time source has confirmed it since the machine started. */
export function createNodeClock(): Clock {
  let quality: TimeQuality = 'unsynced';
  let lookedAtMs = -Infinity;
  return {
    monotonicMs: () => performance.now(),
    wall() {
      if (performance.now() - lookedAtMs >= LOOK_AGAIN_MS) {
        quality = confirmedUnixMs() === undefined ? 'unsynced' : 'synced';
        lookedAtMs = performance.now();
      }
      return { unixMs: Date.now(), quality };
    },
    setTimer: (delayMs, callback) => {
      const dueMs = performance.now() + delayMs;
      return delayMs < TIMEOUT_MIN_MS ? inTurns(dueMs, callback) : timeout(dueMs, callback);
    },
  };
}

/** For the two idle characters between frames, 0.2 ms at 115,200 baud: turns of the event loop until it is time. */
function inTurns(dueMs: number, callback: () => void): Timer {
  const look = () => {
    if (performance.now() < dueMs) immediate = setImmediate(look);
    else callback();
  };
  let immediate = setImmediate(look);
  return { cancel: () => clearImmediate(immediate) };
}

function timeout(dueMs: number, callback: () => void): Timer {
  let timer: NodeJS.Timeout;
  const arm = () => {
    const restMs = dueMs - performance.now();
    timer = setTimeout(
      () => (performance.now() < dueMs ? arm() : callback()),
      Math.min(Math.ceil(restMs), TIMEOUT_MAX_MS),
    );
  };
  arm();
  return { cancel: () => clearTimeout(timer) };
}
