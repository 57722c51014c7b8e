import type { ByteLink, Clock } from '@sparc/protocol/ports';
import type { Output } from './output.js';
import { explained } from './osdp-line.js';

/** How often a listener hears that time has passed: a frame that was cut short is told soon. */
const TICK_MS = 100;
const NOTHING = new Uint8Array(0);

/**
 * Listens to a line and sends nothing, for so many seconds or until Ctrl-C. A line that cannot be opened at first rejects;
 * one that is lost later is waited for.
 * @param heard takes bytes and their time on the monotonic clock; without bytes, time has passed.
 */
export async function listen(
  { clock, link, output }: { readonly clock: Clock; readonly link: ByteLink; readonly output: Output },
  seconds: number | undefined,
  heard: (bytes: Uint8Array, atMs: number) => void,
): Promise<void> {
  let wasOpen = false;
  let tick = clock.setTimer(0, () => undefined);
  const ticking = () => {
    heard(NOTHING, clock.monotonicMs());
    tick = clock.setTimer(TICK_MS, ticking);
  };
  try {
    await new Promise<void>((resolve, reject) => {
      link.start({
        onOpen() {
          if (wasOpen) return output.note(`${link.name} is back.`);
          wasOpen = true;
          output.note(
            `Listening on ${link.name} at ${link.baudRate} baud${seconds === undefined ? ' until Ctrl-C' : ''}.`,
          );
          ticking();
          interruption(clock, seconds).then(resolve, reject);
        },
        onData: (bytes) => heard(bytes, clock.monotonicMs()),
        onDown(error) {
          if (wasOpen) output.note(`${link.name} is lost: ${error.message}.`);
          else reject(explained(error));
        },
      });
    });
    heard(NOTHING, Infinity);
  } finally {
    tick.cancel();
    await link.stop();
  }
}

/** Resolves at Ctrl-C or a request to end, or after so many seconds. */
export function interruption(clock: Clock, seconds?: number): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      timer?.cancel();
      off();
      resolve();
    };
    const off = onInterrupt(end);
    const timer = seconds === undefined ? undefined : clock.setTimer(seconds * 1_000, end);
  });
}

/** Ctrl-C or a request to end is taken once; the next one ends the process. @returns what ends the waiting. */
export function onInterrupt(callback: () => void): () => void {
  const signals = ['SIGINT', 'SIGTERM'] as const;
  for (const signal of signals) process.once(signal, callback);
  return () => signals.forEach((signal) => process.off(signal, callback));
}
