import { sameBytes, type SignedHead } from '../ledger/index.js';
import { ATTESTED_HEADS_MAX, type Roster } from './roster.js';

/** What an operator expelled in the stead of the authority, whose roster does not say so yet. */
export interface Expulsion {
  /** Of the gateway, in hex. */
  readonly key: string;
  /** Of its log counts what leads to these; one of an epoch. */
  readonly heads: readonly SignedHead[];
}

/** Of each epoch the furthest head, of many epochs the newest. */
export function furthestHeads(heads: readonly SignedHead[]): SignedHead[] {
  const sorted = [...heads].sort((a, b) => b.epoch.counter - a.epoch.counter || b.sequence - a.sequence);
  return sorted
    .filter((head, at) => sorted.findIndex((other) => isOfEpoch(other, head)) === at)
    .slice(0, ATTESTED_HEADS_MAX);
}

/** All that either knows, the same in any order: what leads to a head of one of them counts. */
export function mergeExpulsions(known: readonly Expulsion[], more: readonly Expulsion[]): readonly Expulsion[] {
  const all = new Map(known.map((expulsion) => [expulsion.key, expulsion]));
  for (const { key, heads } of more) {
    all.set(key, { key, heads: furthestHeads([...(all.get(key)?.heads ?? []), ...heads]) });
  }
  return [...all.values()];
}

const isOfEpoch = (a: SignedHead, b: SignedHead): boolean =>
  a.epoch.counter === b.epoch.counter && sameBytes(a.epoch.random, b.epoch.random);

/**
 * Who belongs to the site, by the roster and by what operators expelled beside it. The word of the authority on a gateway
 * outranks theirs; who is to come back is enrolled anew, under a new key.
 */
export function withExpulsions(roster: Roster, expulsions: readonly Expulsion[]): Roster {
  const names = new Map(roster.members.map(({ key, name }) => [key, name]));
  const expelled = expulsions.flatMap(({ key, heads }) => {
    const name = names.get(key);
    return name === undefined ? [] : [{ key, name, heads: [...heads] }];
  });
  if (expelled.length === 0) return roster;
  const keys = new Set(expelled.map(({ key }) => key));
  return {
    ...roster,
    members: roster.members.filter(({ key }) => !keys.has(key)),
    expelled: [...roster.expelled, ...expelled],
  };
}
