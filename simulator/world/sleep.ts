import type { Clock } from '@sparc/protocol/ports';

/** Resolves after the time has passed on the clock. */
export function sleep(clock: Clock, durationMs: number): Promise<void> {
  return new Promise((resolve) => {
    clock.setTimer(durationMs, resolve);
  });
}
