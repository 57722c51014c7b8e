import { compareHlc, HLC_ZERO, type Hlc } from '@sparc/protocol/hlc';
import { kindOf, type Raise, RAISES_OF_ONE_MAX } from '@sparc/protocol/site-mode';

/** What one other gateway raised last of each kind, as its clock orders it. */
interface RaisedLast {
  readonly newest: Readonly<Record<string, Hlc>>;
  /** Of kinds that are not kept any more, the last. */
  readonly floor: Hlc;
}

/** By author. */
export type HeardRaises = Readonly<Record<string, RaisedLast>>;

/** A raise of another gateway, and the stamp of its entry. */
export interface HeardRaise {
  readonly raise: Raise;
  readonly author: string;
  readonly hlc: Hlc;
}

/**
 * Whether it was heard before, or a later one of its kind was: then it stands already, or is over. So its release need not
 * be remembered, and the order in which raises come does not matter.
 */
export function isPast(heard: HeardRaises, { raise, author, hlc }: HeardRaise): boolean {
  const last = heard[author];
  return last !== undefined && compareHlc(hlc, last.newest[kindOf(raise)] ?? last.floor) <= 0;
}

/** Of one author no more kinds are kept than may stand; of one that goes, and of what is older, nothing counts any more. */
export function withHeard(heard: HeardRaises, { raise, author, hlc }: HeardRaise): HeardRaises {
  const { newest, floor } = heard[author] ?? { newest: {}, floor: HLC_ZERO };
  const kinds = Object.entries({ ...newest, [kindOf(raise)]: hlc }).sort(([, a], [, b]) => compareHlc(b, a));
  const [, gone] = kinds[RAISES_OF_ONE_MAX] ?? [];
  const kept = Object.fromEntries(kinds.slice(0, RAISES_OF_ONE_MAX));
  return {
    ...heard,
    [author]: { newest: kept, floor: gone !== undefined && compareHlc(gone, floor) > 0 ? gone : floor },
  };
}

/** What of it counts is heard anew. */
export function withoutHeard(heard: HeardRaises, author: string): HeardRaises {
  return Object.fromEntries(Object.entries(heard).filter(([key]) => key !== author));
}
