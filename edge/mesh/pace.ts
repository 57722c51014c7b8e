import type { Clock } from '@sparc/protocol/ports';

/** How much one neighbour may make us do, however fast it can: for more it has to wait, or to come again. */
export interface Pace {
  readonly perSecond: number;
  readonly burst: number;
  /** What each piece counts at least, so that many small ones have a price, too. */
  readonly pieceMin: number;
}

/** Bytes of messages, 200 messages a second. A busy gateway sends some 50, each with 32 kB of its newest entries at most. */
export const SAID_PACE: Pace = { perSecond: 2_097_152, burst: 4_194_304, pieceMin: 10_486 };
/** Bytes of logs that are served: whoever was cut off for days catches up with a burst and then at this rate. */
export const SERVED_PACE: Pace = { perSecond: 16_777_216, burst: 67_108_864, pieceMin: 16_384 };
/** Connections, each of which costs tens of milliseconds of CPU. An honest neighbour calls once a second. */
export const CALLS_PACE: Pace = { perSecond: 1, burst: 8, pieceMin: 1 };

export interface Credit {
  /** Below 0 it is owed. */
  readonly left: number;
  readonly atMs: number;
}

export const fullCredit = ({ burst }: Pace, nowMs: number): Credit => ({ left: burst, atMs: nowMs });

/** What is left after a piece, and how long to wait before the next one. */
export function spend(
  { perSecond, burst, pieceMin }: Pace,
  credit: Credit,
  nowMs: number,
  piece: number,
): { readonly credit: Credit; readonly waitMs: number } {
  const earned = Math.min(burst, credit.left + ((nowMs - credit.atMs) * perSecond) / 1_000);
  const left = earned - Math.max(piece, pieceMin);
  return { credit: { left, atMs: nowMs }, waitMs: left < 0 ? (-left * 1_000) / perSecond : 0 };
}

/** Holds one neighbour to a pace. */
export class Pacer {
  #credit: Credit;
  readonly #waiting = new Set<() => void>();
  #stopped = false;

  constructor(
    private readonly clock: Clock,
    private readonly pace: Pace,
  ) {
    this.#credit = fullCredit(pace, clock.monotonicMs());
  }

  /** Resolves when the next piece may follow, or all is over. */
  async pay(piece: number): Promise<void> {
    const { credit, waitMs } = spend(this.pace, this.#credit, this.clock.monotonicMs(), piece);
    this.#credit = credit;
    if (waitMs > 0 && !this.#stopped) await this.#wait(waitMs);
  }

  stop(): void {
    this.#stopped = true;
    for (const wake of this.#waiting) wake();
  }

  #wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        timer.cancel();
        this.#waiting.delete(wake);
        resolve();
      };
      const timer = this.clock.setTimer(delayMs, wake);
      this.#waiting.add(wake);
    });
  }
}
