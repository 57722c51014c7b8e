import { ALWAYS_SCHEDULE_ID, PLAN_LISTS } from '@sparc/protocol/policy';
import type { PolicyStream, Stream } from '../authority/index.js';
import { turn } from '../platform/index.js';
import type { PolicyKind } from './kinds.js';

/** Entries that are compared without a pause. */
const TAKEN_AT_ONCE = 500;

/** How an object of a policy differs from the one of another policy. */
export interface PolicyChange {
  /** Beside what a draft is made of: the revocations that the policy says by itself. */
  readonly kind: PolicyKind | 'absorbedDirectives';
  readonly id: string;
  readonly name?: string;
  readonly change: 'added' | 'changed' | 'removed';
  /** Names of the fields that differ, of one that changed; a PIN by its hash. */
  readonly fields: readonly string[];
}

type Entry = Readonly<Record<string, unknown>>;
type Listed = readonly [id: string, entry: Entry];

/** What changes from one policy to another; everything is new where there was none. People are read as they are compared. */
export async function* policyChanges(
  before: PolicyStream | undefined,
  now: PolicyStream,
): AsyncGenerator<PolicyChange> {
  for (const [kind, entriesOf] of KINDS) {
    yield* compared(kind, before === undefined ? [] : entriesOf(before), entriesOf(now));
  }
}

const KINDS: readonly (readonly [PolicyChange['kind'], (content: PolicyStream) => Stream<Listed>])[] = [
  ['site', ({ plan }) => [['site', plan.site]]],
  ['cardFormats', ({ plan }) => [['cardFormats', { cardFormats: plan.cardFormats }]]],
  ...PLAN_LISTS.map((list) => [list, ({ plan }: PolicyStream) => sorted(plan[list] ?? [])] as const),
  ['accessProfiles', ({ profiles }) => listed(profiles)],
  ['credentialHolders', ({ holders }) => listed(holders)],
  ['credentials', ({ credentials }) => listed(credentials)],
  [
    'emergencyCredentials',
    ({ emergencyCredentials: all }) =>
      sorted(all.map(({ credentialId: id, accessPointIds: accessPoints }) => ({ id, accessPoints }))),
  ],
  [
    'absorbedDirectives',
    ({ plan: { absorbedDirectives: all = [] } }) =>
      sorted(all.map(({ id, subject, subjectId }) => ({ id, name: `${subject} ${subjectId}` }))),
  ],
];

const sorted = (list: readonly { readonly id: string }[]): Stream<Listed> =>
  listed([...list].filter(({ id }) => id !== ALWAYS_SCHEDULE_ID).sort((a, b) => (a.id < b.id ? -1 : 1)));

async function* listed(entries: Stream<{ readonly id: string }>): AsyncGenerator<Listed> {
  for await (const entry of entries) yield [entry.id, entry];
}

/** Both in the order of their ids. */
async function* compared(
  kind: PolicyChange['kind'],
  before: Stream<Listed>,
  now: Stream<Listed>,
): AsyncGenerator<PolicyChange> {
  const old = each(before);
  let was = await taken(old);
  for await (const [id, entry] of now) {
    for (; was !== undefined && was[0] < id; was = await taken(old)) yield changeOf(kind, was, 'removed');
    if (was?.[0] !== id) {
      yield changeOf(kind, [id, entry], 'added');
      continue;
    }
    const fields = differing(was[1], entry);
    if (fields.length > 0) yield changeOf(kind, [id, entry], 'changed', fields);
    was = await taken(old);
  }
  for (; was !== undefined; was = await taken(old)) yield changeOf(kind, was, 'removed');
}

/** As they come; what is in memory already never waits, and would keep everybody else waiting. */
async function* each<T>(stream: Stream<T>): AsyncGenerator<T, undefined> {
  let count = 0;
  for await (const one of stream) {
    count += 1;
    if (count % TAKEN_AT_ONCE === 0) await turn();
    yield one;
  }
}

async function taken<T>(iterator: AsyncIterator<T, undefined>): Promise<T | undefined> {
  return (await iterator.next()).value;
}

function changeOf(
  kind: PolicyChange['kind'],
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
  // So it is for most of them, and told quickly.
  if (JSON.stringify(before) === JSON.stringify(now)) return [];
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
