import { ALWAYS_SCHEDULE_ID, PLAN_LISTS, type PolicyContent } from '@sparc/protocol/policy';
import type { PolicyKind } from './kinds.js';

/** How an object of a policy differs from the one of another policy. */
export interface PolicyChange {
  readonly kind: PolicyKind;
  readonly id: string;
  readonly name?: string;
  readonly change: 'added' | 'changed' | 'removed';
  /** Names of the fields that differ, of one that changed; a PIN by its hash. */
  readonly fields: readonly string[];
}

type Entry = Readonly<Record<string, unknown>>;
type Listed = readonly [id: string, entry: Entry];

/** What changes from one policy to another; everything is new where there was none. People are read as they are compared. */
export function* policyChanges(before: PolicyContent | undefined, now: PolicyContent): Generator<PolicyChange> {
  for (const [kind, entriesOf] of KINDS) {
    yield* compared(kind, before === undefined ? [] : entriesOf(before), entriesOf(now));
  }
}

const KINDS: readonly (readonly [PolicyKind, (content: PolicyContent) => Iterable<Listed>])[] = [
  ['site', ({ plan }) => [['site', plan.site]]],
  ['cardFormats', ({ plan }) => [['cardFormats', { cardFormats: plan.cardFormats }]]],
  ...PLAN_LISTS.map((list) => [list, ({ plan }: PolicyContent) => sorted(plan[list] ?? [])] as const),
  ['accessProfiles', ({ profiles }) => listed(profiles)],
  ['credentialHolders', ({ holders }) => listed(holders)],
  ['credentials', ({ credentials }) => listed(credentials)],
  [
    'emergencyCredentials',
    ({ emergencyCredentials: all }) =>
      sorted(all.map(({ credentialId: id, accessPointIds: accessPoints }) => ({ id, accessPoints }))),
  ],
];

const sorted = (list: readonly { readonly id: string }[]): Iterable<Listed> =>
  listed([...list].filter(({ id }) => id !== ALWAYS_SCHEDULE_ID).sort((a, b) => (a.id < b.id ? -1 : 1)));

function* listed(entries: Iterable<{ readonly id: string }>): Generator<Listed> {
  for (const entry of entries) yield [entry.id, entry];
}

/** Both in the order of their ids. */
function* compared(kind: PolicyKind, before: Iterable<Listed>, now: Iterable<Listed>): Generator<PolicyChange> {
  const old = before[Symbol.iterator]();
  let [was] = taken(old);
  for (const [id, entry] of now) {
    for (; was !== undefined && was[0] < id; [was] = taken(old)) yield changeOf(kind, was, 'removed');
    if (was?.[0] !== id) {
      yield changeOf(kind, [id, entry], 'added');
      continue;
    }
    const fields = differing(was[1], entry);
    if (fields.length > 0) yield changeOf(kind, [id, entry], 'changed', fields);
    [was] = taken(old);
  }
  for (; was !== undefined; [was] = taken(old)) yield changeOf(kind, was, 'removed');
}

function taken<T>(iterator: Iterator<T>): [T?] {
  const { done, value } = iterator.next() as IteratorResult<T, undefined>;
  return done === true ? [] : [value];
}

function changeOf(
  kind: PolicyKind,
  [id, { name }]: Listed,
  change: PolicyChange['change'],
  fields: readonly string[] = [],
): PolicyChange {
  return { kind, id, ...(typeof name === 'string' && { name }), change, fields };
}

/** What a person writes of it; keys by PIN follow from PINs and rights. */
const FIELD_OF: Readonly<Record<string, string>> = {
  pinHash: 'pin',
  duressPinHash: 'duressPin',
  pinIdentifierKeys: '',
};

function differing(before: Entry, now: Entry): readonly string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])];
  return names
    .filter((name) => canonical(before[name]) !== canonical(now[name]))
    .map((name) => FIELD_OF[name] ?? name)
    .filter((name) => name !== '')
    .sort();
}

/** Alike for values that differ in the order of their fields only: a database keeps an order of its own. */
function canonical(value: unknown): string {
  return (
    JSON.stringify(value, (_key, each: unknown) =>
      typeof each === 'object' && each !== null && !Array.isArray(each)
        ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
        : each,
    ) ?? ''
  );
}
