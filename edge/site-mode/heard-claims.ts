import { compareHlc, type Hlc } from '@sparc/protocol/hlc';
import type { SignedHead } from '@sparc/protocol/ledger';
import type { Clock } from '@sparc/protocol/ports';
import { furthestHeads } from '@sparc/protocol/roster';
import {
  isAttested,
  isSameRaise,
  isTooMany,
  lateRecord,
  type ModeClaim,
  raiseOf,
  raiseRecord,
  withRaise,
} from '@sparc/protocol/site-mode';
import type { HeardEntry } from '../heard/index.js';
import { isPast, withHeard, withoutHeard, type HeardRaise } from './heard-raises.js';
import type { Obeyed } from './orders.js';
import type { SiteMode } from './site-mode.js';

/** An alarm of another gateway that is first heard later than this releases nothing: people there have seen to it. */
export const FIRE_HEARD_LATE_MS = 3_600_000;
/** Of whom another gateway names. */
const NAME_LENGTH_MAX = 64;

/** What another gateway recorded. */
export type HeardClaim = ModeClaim & Pick<HeardEntry, 'id' | 'hlc'>;

export interface HeardClaimsDeps {
  readonly clock: Clock;
  /** Whether somebody vouches for the wall clock. */
  readonly isClockKnown: () => boolean;
}

/** Judges what other gateways recorded of the mode. Each may raise; it cannot lower, and an evacuation is its own. */
export class HeardClaims {
  /** By the key of a gateway that was expelled. */
  readonly #attested = new Map<string, readonly SignedHead[]>();
  /** By the key of another gateway: when a person last ended the fire there. */
  readonly #fireEnds = new Map<string, Hlc>();

  constructor(private readonly deps: HeardClaimsDeps) {}

  /** A person ended the fire at another gateway: what that one told of it before, and was not heard yet, is over. */
  fireEnded({ id: { author }, hlc, record }: HeardClaim): void {
    if (record.detail?.['raises'] === undefined) this.#fireEnds.set(author, hlc);
  }

  /** What a claim makes of the mode; undefined: nothing. */
  heard(before: SiteMode, entry: HeardClaim): Obeyed | undefined {
    const { causeId, detail } = entry.record;
    // An effect of what somebody else raised or directed; or of a time when nobody was to hear it.
    if (causeId !== undefined || detail?.['directive'] !== undefined) return undefined;
    if (detail?.['raise'] === undefined || detail['alone'] !== undefined) return undefined;
    const raised = raiseOf(entry);
    if (raised === undefined || raised.what === 'evacuation') return undefined;
    const raise = { ...raised, by: raised.by.slice(0, NAME_LENGTH_MAX), entry: entry.id };
    const { heard = {}, ...mode } = before;
    const told = { raise, author: entry.id.author, hlc: entry.hlc };
    if (!isAttested(raise, this.#attested) || isPast(heard, told) || isTooMany(mode, raise)) return undefined;
    const isLate = this.#isLateFire(told);
    const next = isLate || this.#isOverFire(told) ? mode : withRaise(mode, raise);
    const isNew = next.raises.includes(raise) && !mode.raises.some((each) => isSameRaise(each, raise));
    const record = isNew ? raiseRecord(mode, raise, false) : isLate ? lateRecord(raise) : undefined;
    return { mode: { ...next, heard: withHeard(heard, told) }, ...(record && { record }) };
  }

  /**
   * A gateway was expelled: of what it raised counts what leads to the attested heads of its log. Of several expulsions what
   * leads to the heads of one of them does, in whatever order they come. Undefined: the mode stays as it is.
   */
  expelled(mode: SiteMode, author: string, heads: readonly SignedHead[]): SiteMode | undefined {
    this.#attested.set(author, furthestHeads([...(this.#attested.get(author) ?? []), ...heads]));
    const raises = mode.raises.filter((raise) => isAttested(raise, this.#attested));
    if (raises.length === mode.raises.length) return undefined;
    return { ...mode, raises, heard: withoutHeard(mode.heard ?? {}, author) };
  }

  #isOverFire({ raise: { what }, author, hlc }: HeardRaise): boolean {
    const end = this.#fireEnds.get(author);
    return what === 'fire' && end !== undefined && compareHlc(hlc, end) < 0;
  }

  #isLateFire({ raise: { what }, hlc }: HeardRaise): boolean {
    const { clock, isClockKnown } = this.deps;
    return what === 'fire' && isClockKnown() && clock.wall().unixMs - hlc.unixMs > FIRE_HEARD_LATE_MS;
  }
}
