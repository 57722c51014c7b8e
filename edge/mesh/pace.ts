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

/**
 * The credits of all neighbours, which outlive their connections: whoever comes again has no new one. A credit that is full
 * again is that of whoever never came, and is forgotten.
 */
export class Credits {
  readonly #left = new Map<string, Credit>();

  constructor(
    private readonly clock: Clock,
    private readonly pace: Pace,
  ) {}

  /** Takes a piece at once, if the credit is not owed then; says whether it did. */
  take(neighbour: string, piece: number): boolean {
    const { credit, waitMs } = this.#spent(neighbour, piece);
    if (waitMs === 0) this.#left.set(neighbour, credit);
    return waitMs === 0;
  }

  /** Takes a piece in any case, and says how long to wait before the next one, in milliseconds. */
  spend(neighbour: string, piece: number): number {
    const { credit, waitMs } = this.#spent(neighbour, piece);
    this.#left.set(neighbour, credit);
    return waitMs;
  }

  #spent(neighbour: string, piece: number) {
    const nowMs = this.clock.monotonicMs();
    const credit = this.#left.get(neighbour);
    if (credit === undefined) this.#forgetFull(nowMs);
    return spend(this.pace, credit ?? fullCredit(this.pace, nowMs), nowMs, piece);
  }

  #forgetFull(nowMs: number): void {
    const { perSecond, burst } = this.pace;
    for (const [neighbour, { left, atMs }] of this.#left) {
      if (left + ((nowMs - atMs) * perSecond) / 1_000 >= burst) this.#left.delete(neighbour);
    }
  }
}

/** Makes one connection with a neighbour wait as its credit says. */
export class Pacer {
  readonly #waiting = new Set<() => void>();
  #stopped = false;

  constructor(
    private readonly clock: Clock,
    private readonly credits: Credits,
    private readonly neighbour: string,
  ) {}

  /** Resolves when the next piece may follow, or all is over. */
  async pay(piece: number): Promise<void> {
    const waitMs = this.credits.spend(this.neighbour, piece);
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
