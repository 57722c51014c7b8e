import { followedHlc, type Hlc } from '@sparc/protocol/hlc';
import type { Clock, Journal } from '@sparc/protocol/ports';

/** The time that entries are stamped with: it follows what other gateways recorded, and never goes back. */
export class StampClock {
  /** Of the latest entry, of this gateway or another one that it follows. */
  #stampedUnixMs = 0;

  constructor(
    private readonly clock: Clock,
    private readonly journal: Pick<Journal, 'observe'>,
  ) {}

  /** Of the next stamp, however the wall clock was set since. */
  nowUnixMs(): number {
    return Math.max(this.clock.wall().unixMs, this.#stampedUnixMs);
  }

  /** Another gateway stamped something: what is recorded here from now on comes after it. False: it is too far ahead for that. */
  follow(hlc: Hlc): boolean {
    this.journal.observe(hlc);
    const followed = followedHlc(hlc, this.clock.wall().unixMs);
    if (followed !== undefined) this.stamped(followed);
    return followed !== undefined;
  }

  /**
   * The clock of a neighbour shows this. What is recorded here from now on comes after it, so that in a quiet site, too, no
   * stamp is older than it looks.
   */
  keepUpWith(unixMs: number): void {
    this.journal.observe({ unixMs, counter: 0 });
  }

  /** The own journal stamped an entry. */
  stamped({ unixMs }: Hlc): void {
    this.#stampedUnixMs = Math.max(this.#stampedUnixMs, unixMs);
  }
}
