import type { CardBits } from '../../devices/index.js';
import type { Violations } from '../violation.js';

interface Presentation {
  readonly atMs: number;
  readonly readerId: string;
  readonly card: string;
  /** Undefined while the line is not healthy: the read may be lost then. */
  readonly boundMs: number | undefined;
  arrivals: number;
}

/** A card that is presented arrives as it is, never twice, and on a healthy line always and soon. */
export class CardsArriveOnce {
  readonly #presented: Presentation[] = [];
  delivered = 0;
  latencyMaxMs = 0;

  constructor(
    private readonly violations: Violations,
    private readonly nowMs: () => number,
  ) {}

  presented(readerId: string, card: CardBits, boundMs: number | undefined): void {
    this.#presented.push({ atMs: this.nowMs(), readerId, card: nameOf(card), boundMs, arrivals: 0 });
  }

  arrived(readerId: string, card: CardBits): void {
    const name = nameOf(card);
    const candidates = this.#presented.filter((each) => each.readerId === readerId && each.card === name);
    // The newest: an older one with the same card may have been lost on a faulty line.
    const presentation = candidates.findLast(({ arrivals }) => arrivals === 0);
    this.delivered += 1;
    if (presentation === undefined) {
      this.#object(
        `${readerId} delivered a card that was ${candidates.length === 0 ? 'never presented' : 'delivered before'}`,
      );
      return;
    }
    presentation.arrivals += 1;
    const latencyMs = this.nowMs() - presentation.atMs;
    if (presentation.boundMs === undefined) return;
    this.latencyMaxMs = Math.max(this.latencyMaxMs, latencyMs);
    if (latencyMs > presentation.boundMs) {
      this.#object(`${readerId} delivered a card after ${latencyMs.toFixed(1)} ms`);
    }
  }

  /** At the end: nothing presented on a healthy line is missing. */
  check(): void {
    for (const { atMs, readerId, boundMs, arrivals } of this.#presented) {
      if (boundMs !== undefined && arrivals === 0)
        this.#object(`the card presented at ${readerId} at ${atMs} ms was lost`);
    }
  }

  #object(what: string): void {
    this.violations.add('cards-arrive-once', what);
  }
}

const nameOf = ({ bitCount, bits }: CardBits) => `${bitCount}:${bits.join('.')}`;
