import { bytesToHex } from '@noble/hashes/utils.js';
import { sameBytes, type Batch, type SignedHead } from '../ledger/index.js';
import { holds, isSameEpoch, tipsOf, type AuthorLog } from './author-log.js';
import { AUTHORS_MAX, PUSHED_BATCHES_MAX, TIPS_MAX, type Heads } from './messages.js';

/** The first change is announced at once, those that follow together after this: of the own log, and of others only. */
export const ANNOUNCE_PAUSE_MS = 20;
/** What was taken of others is told less often: in a site of 16 each entry is taken by 15, who all tell 15. */
export const ANNOUNCE_OTHERS_PAUSE_MS = 100;
/** All heads are said again this often: a message that was lost costs latency, nothing else. */
export const ANNOUNCE_ALL_MS = 30_000;
/**
 * A fetch that brings nothing new for so long is given up, and another neighbour asked: a batch of 256 KiB gets through
 * at 26 kB/s. A neighbour that is gone is missed sooner by its session.
 */
export const FETCH_SILENCE_MAX_MS = 10_000;
/** Bytes that a fetch brings in that time, or another neighbour is asked that is ahead, too: nobody holds a log back drop by drop. */
export const FETCH_BYTES_MIN = 262_144;
/** A neighbour that did not bring what it announced is not asked for it again before; doubled each time. */
export const FETCH_RETRY_PAUSE_MS = { first: 5_000, max: 60_000 };
/** An author who is a neighbour pushes what is new: only after this is another neighbour asked for it, who had it first. */
export const PUSH_PATIENCE_MS = 100;
/** Fetches under way, beside that of the authority's log: each has a batch in memory. */
export const FETCHES_MAX = 8;
export const FETCHES_FROM_ONE_MAX = 2;
/** Bytes that are pushed along with an announcement; what is more is fetched. */
export const PUSHED_BYTES_MAX = 32_768;

/** By author, in hex. */
export type TipsByAuthor = ReadonlyMap<string, readonly SignedHead[]>;

interface Neighbour {
  /** Another map whenever they change. */
  readonly tips: TipsByAuthor;
  /** It told of all that it has: a log of which it has no tips is one that it does not hold. */
  readonly hasToldAll: boolean;
  /** By author: a log that it did not bring, and when it may be asked for it again. */
  readonly failures: ReadonlyMap<string, Failure>;
}

interface Failure {
  readonly pauseMs: number;
  readonly askAgainAtMs: number;
}

interface Fetch {
  readonly neighbour: string;
  /** What the neighbour had announced when it was asked. */
  readonly tips: readonly SignedHead[];
  readonly heardAtMs: number;
  /** Since when it has not brought FETCH_BYTES_MIN, and how much it has. */
  readonly slowSinceMs: number;
  readonly broughtBytes: number;
}

/** How one gateway keeps its replicas of all logs up to date with its neighbours. */
export interface ReplicationState {
  /** The own author: nobody has more of its log than its writer, unless the disk was set back. */
  readonly self: string;
  /** The site authority, whose log says who belongs to the site and what is in force: it waits for no other. */
  readonly authority: string;
  /** What is on the own disk, by author: of the own log also what only replicas have. */
  readonly logs: ReadonlyMap<string, AuthorLog>;
  readonly neighbours: ReadonlyMap<string, Neighbour>;
  /** By author, of whose log they announced more than is held: neighbours, one at least. */
  readonly ahead: ReadonlyMap<string, ReadonlySet<string>>;
  /** At most one for an author. */
  readonly fetches: ReadonlyMap<string, Fetch>;
  /** Authors who are neighbours: since when somebody else has more of their logs than they announced. */
  readonly awaited: ReadonlyMap<string, number>;
  /** Authors whose tips changed since the last announcement, and the newest entries of the own log. */
  readonly changed: ReadonlySet<string>;
  readonly pushed: readonly Batch[];
  readonly announcedAtMs: number;
  readonly announcedAllAtMs: number;
}

export const nothingHeld = (self: string, authority: string): ReplicationState => ({
  self,
  authority,
  logs: new Map(),
  neighbours: new Map(),
  ahead: new Map(),
  fetches: new Map(),
  awaited: new Map(),
  changed: new Set(),
  pushed: [],
  announcedAtMs: -Infinity,
  announcedAllAtMs: -Infinity,
});

export type ReplicationInput =
  /** A neighbour is admitted: it may be spoken to. */
  | { readonly kind: 'connected'; readonly neighbour: string }
  | { readonly kind: 'disconnected'; readonly neighbour: string }
  /** Tips are signed by their authors, all of them on the roster: checked by whoever hands them in. */
  | { readonly kind: 'heads'; readonly neighbour: string; readonly tips: TipsByAuthor; readonly complete: boolean }
  /** A log is on the own disk up to here. `batch`: of the own log, for neighbours that follow closely. */
  | { readonly kind: 'stored'; readonly author: string; readonly log: AuthorLog; readonly batch?: Batch }
  /** A fetch brought something new, of so many bytes. */
  | { readonly kind: 'progress'; readonly author: string; readonly sizeBytes: number }
  /** A fetch ended: all that the neighbour had is stored, or it failed. */
  | { readonly kind: 'fetched'; readonly neighbour: string; readonly author: string }
  | { readonly kind: 'time' };

export type ReplicationEffect =
  | { readonly kind: 'send'; readonly neighbour: string; readonly heads: Heads }
  | { readonly kind: 'fetch'; readonly neighbour: string; readonly author: string }
  | { readonly kind: 'giveUp'; readonly neighbour: string; readonly author: string };

export interface ReplicationStep {
  readonly state: ReplicationState;
  readonly effects: readonly ReplicationEffect[];
}

/** Messages only hint; the truth is in the tips of both sides, so a lost, late or repeated one does no harm. */
export function step(state: ReplicationState, nowMs: number, input: ReplicationInput): ReplicationStep {
  const taken = take(state, nowMs, input);
  const announced = announce(taken.state, nowMs);
  const fetching = fetchMissing(withAwaited(announced.state, nowMs), nowMs);
  return { state: fetching.state, effects: [...taken.effects, ...announced.effects, ...fetching.effects] };
}

/** When `time` is due. */
export function nextDeadlineMs(state: ReplicationState, nowMs: number): number {
  const { announcedAllAtMs, fetches, neighbours, awaited } = state;
  let dueMs = Math.min(announcedAllAtMs + ANNOUNCE_ALL_MS, announcesAtMs(state));
  const asksAt = (atMs: number) => {
    if (atMs > nowMs) dueMs = Math.min(dueMs, atMs);
  };
  for (const [author, fetch] of fetches) dueMs = Math.min(dueMs, givesUpAtMs(state, author, fetch));
  for (const { failures } of neighbours.values()) {
    for (const { askAgainAtMs } of failures.values()) asksAt(askAgainAtMs);
  }
  for (const sinceMs of awaited.values()) asksAt(sinceMs + PUSH_PATIENCE_MS);
  return dueMs;
}

function take(state: ReplicationState, nowMs: number, input: ReplicationInput): ReplicationStep {
  switch (input.kind) {
    case 'connected': {
      const nothingTold = { tips: new Map(), hasToldAll: false, failures: new Map() };
      const neighbours = new Map(state.neighbours).set(input.neighbour, nothingTold);
      const heads = { tips: allTips(state), complete: true, pushed: [] };
      const ahead = aheadWithout(state, input.neighbour);
      return { state: { ...state, neighbours, ahead }, effects: [{ kind: 'send', neighbour: input.neighbour, heads }] };
    }
    case 'disconnected': {
      const neighbours = new Map(state.neighbours);
      neighbours.delete(input.neighbour);
      const given = [...state.fetches].filter(([, { neighbour }]) => neighbour === input.neighbour);
      return withoutFetches(
        { ...state, neighbours, ahead: aheadWithout(state, input.neighbour) },
        given.map(([author]) => author),
      );
    }
    case 'heads':
      return { state: onHeads(state, input), effects: [] };
    case 'stored':
      return { state: onStored(state, input.author, input.log, input.batch), effects: [] };
    case 'progress': {
      const fetch = state.fetches.get(input.author);
      if (fetch === undefined) return { state, effects: [] };
      const fetches = new Map(state.fetches).set(input.author, brought(fetch, nowMs, input.sizeBytes));
      return { state: { ...state, fetches }, effects: [] };
    }
    case 'fetched':
      return { state: onFetched(state, input.neighbour, input.author, nowMs), effects: [] };
    case 'time':
      return onTime(state, nowMs);
  }
}

function onHeads(
  state: ReplicationState,
  { neighbour, tips, complete }: Extract<ReplicationInput, { kind: 'heads' }>,
): ReplicationState {
  const known = state.neighbours.get(neighbour);
  if (known === undefined) return state;
  const news = [...tips.keys()].filter((author) => !isSaid(known.tips.get(author), tips.get(author)));
  const gone = complete ? [...known.tips.keys()].filter((author) => !tips.has(author)) : [];
  const changed = [...news, ...gone];
  if (changed.length === 0 && (known.hasToldAll || !complete)) return state;
  const merged = complete ? tips : new Map([...known.tips, ...tips]);
  const told = { ...known, tips: merged, hasToldAll: known.hasToldAll || complete };
  const neighbours = new Map(state.neighbours).set(neighbour, told);
  return withAhead({ ...state, neighbours }, changed, [neighbour]);
}

/** Whether an author's tips are those that were said before. */
export const isSaid = (before: readonly SignedHead[] = [], now: readonly SignedHead[] = []): boolean =>
  before === now || (before.length === now.length && now.every((tip, index) => isSameTip(before[index] ?? tip, tip)));

/** With its signature, of which there may be several for one head. */
export const isSameTip = (a: SignedHead, b: SignedHead): boolean =>
  a.sequence === b.sequence &&
  isSameEpoch(a.epoch, b.epoch) &&
  sameBytes(a.hash, b.hash) &&
  sameBytes(a.signature, b.signature);

export function tipsByAuthor(tips: readonly SignedHead[]): TipsByAuthor {
  const byAuthor = new Map<string, SignedHead[]>();
  for (const tip of tips) {
    const author = bytesToHex(tip.author);
    const others = byAuthor.get(author);
    if (others === undefined) byAuthor.set(author, [tip]);
    else others.push(tip);
  }
  return byAuthor;
}

function onStored(state: ReplicationState, author: string, log: AuthorLog, batch: Batch | undefined): ReplicationState {
  const logs = new Map(state.logs).set(author, log);
  const pushed = batch === undefined ? state.pushed : [...state.pushed, batch];
  const stored = { ...state, logs, changed: new Set([...state.changed, author]), pushed };
  return withAhead(stored, [author], [...state.neighbours.keys()]);
}

/** Who of these is ahead of what is held of these logs. */
function withAhead(
  state: ReplicationState,
  authors: Iterable<string>,
  neighbours: readonly string[],
): ReplicationState {
  let ahead: Map<string, ReadonlySet<string>> | undefined;
  for (const author of authors) {
    const before = (ahead ?? state.ahead).get(author) ?? NOBODY;
    const others = new Set(before);
    for (const neighbour of neighbours) {
      const tips = state.neighbours.get(neighbour)?.tips.get(author) ?? [];
      if (isLacking(state, author, tips)) others.add(neighbour);
      else others.delete(neighbour);
    }
    if (others.size === 0 && before.size === 0) continue;
    ahead ??= new Map(state.ahead);
    if (others.size > 0) ahead.set(author, others);
    else ahead.delete(author);
  }
  return ahead === undefined ? state : { ...state, ahead };
}

const NOBODY: ReadonlySet<string> = new Set();

const aheadWithout = ({ ahead }: ReplicationState, neighbour: string): ReplicationState['ahead'] =>
  nonEmpty(
    new Map([...ahead].map(([author, others]) => [author, new Set([...others].filter((one) => one !== neighbour))])),
  );

const nonEmpty = (ahead: ReplicationState['ahead']): ReplicationState['ahead'] =>
  new Map([...ahead].filter(([, others]) => others.size > 0));

function onFetched(state: ReplicationState, neighbour: string, author: string, nowMs: number): ReplicationState {
  const fetch = state.fetches.get(author);
  if (fetch?.neighbour !== neighbour) return state;
  const fetches = new Map(state.fetches);
  fetches.delete(author);
  const ended = { ...state, fetches };
  // It announced what it does not have: others first.
  return isLacking(ended, author, fetch.tips)
    ? failed(ended, neighbour, author, nowMs)
    : setFailure(ended, neighbour, author, undefined);
}

function brought(fetch: Fetch, nowMs: number, sizeBytes: number): Fetch {
  const broughtBytes = fetch.broughtBytes + sizeBytes;
  return broughtBytes < FETCH_BYTES_MIN
    ? { ...fetch, heardAtMs: nowMs, broughtBytes }
    : { ...fetch, heardAtMs: nowMs, broughtBytes: 0, slowSinceMs: nowMs };
}

/** A slow neighbour is better than none: it is given up for another that may be asked. */
function givesUpAtMs({ ahead, neighbours }: ReplicationState, author: string, fetch: Fetch): number {
  const { neighbour, heardAtMs, slowSinceMs } = fetch;
  const others = [...(ahead.get(author) ?? [])].filter((other) => other !== neighbour);
  const otherAtMs = Math.min(
    ...others.map((other) => neighbours.get(other)?.failures.get(author)?.askAgainAtMs ?? -Infinity),
  );
  return Math.min(heardAtMs + FETCH_SILENCE_MAX_MS, Math.max(slowSinceMs + FETCH_SILENCE_MAX_MS, otherAtMs));
}

function onTime(state: ReplicationState, nowMs: number): ReplicationStep {
  const useless = [...state.fetches].filter(([author, fetch]) => nowMs >= givesUpAtMs(state, author, fetch));
  let patient = state;
  for (const [author, { neighbour }] of useless) patient = failed(patient, neighbour, author, nowMs);
  return withoutFetches(
    patient,
    useless.map(([author]) => author),
  );
}

function withoutFetches(state: ReplicationState, authors: readonly string[]): ReplicationStep {
  const fetches = new Map(state.fetches);
  const effects: ReplicationEffect[] = [];
  for (const author of authors) {
    const fetch = fetches.get(author);
    if (fetch === undefined || !fetches.delete(author)) continue;
    effects.push({ kind: 'giveUp', neighbour: fetch.neighbour, author });
  }
  return { state: { ...state, fetches }, effects };
}

function failed(state: ReplicationState, neighbour: string, author: string, nowMs: number): ReplicationState {
  const { first, max } = FETCH_RETRY_PAUSE_MS;
  const earlier = state.neighbours.get(neighbour)?.failures.get(author);
  const pauseMs = earlier === undefined ? first : Math.min(max, earlier.pauseMs * 2);
  return setFailure(state, neighbour, author, { pauseMs, askAgainAtMs: nowMs + pauseMs });
}

function setFailure(
  state: ReplicationState,
  neighbour: string,
  author: string,
  failure: Failure | undefined,
): ReplicationState {
  const known = state.neighbours.get(neighbour);
  if (known === undefined) return state;
  const failures = new Map(known.failures);
  if (failure === undefined) failures.delete(author);
  else failures.set(author, failure);
  return { ...state, neighbours: new Map(state.neighbours).set(neighbour, { ...known, failures }) };
}

/** Tells all neighbours what is on the own disk. */
function announce(state: ReplicationState, nowMs: number): ReplicationStep {
  const isAllDue = nowMs >= state.announcedAllAtMs + ANNOUNCE_ALL_MS;
  if (!isAllDue && nowMs < announcesAtMs(state)) return { state, effects: [] };
  const tips = isAllDue
    ? allTips(state)
    : [...state.changed].flatMap((author) => announcedTips(state.logs.get(author) ?? []));
  const heads: Heads = { tips, complete: isAllDue, pushed: isPushable(state.pushed) ? state.pushed : [] };
  const told = { ...state, changed: new Set<string>(), pushed: [], announcedAtMs: nowMs };
  return {
    state: isAllDue ? { ...told, announcedAllAtMs: nowMs } : told,
    effects: [...state.neighbours.keys()].map((neighbour) => ({ kind: 'send', neighbour, heads })),
  };
}

function announcesAtMs({ self, changed, announcedAtMs }: ReplicationState): number {
  if (changed.size === 0) return Infinity;
  return announcedAtMs + (changed.has(self) ? ANNOUNCE_PAUSE_MS : ANNOUNCE_OTHERS_PAUSE_MS);
}

function isPushable(batches: readonly Batch[]): boolean {
  const sizeBytes = batches.flatMap(({ contents }) => contents).reduce((sum, { length }) => sum + length, 0);
  return batches.length <= PUSHED_BATCHES_MAX && sizeBytes <= PUSHED_BYTES_MAX;
}

/** More logs than a message holds are those of a site that replaced its gateways many times: the first of them go untold. */
export const allTips = ({ logs }: Pick<ReplicationState, 'logs'>): SignedHead[] =>
  [...logs.values()].flatMap(announcedTips).slice(-AUTHORS_MAX * TIPS_MAX);

const announcedTips = (log: AuthorLog): SignedHead[] => tipsOf(log).slice(0, TIPS_MAX);

const isLacking = ({ logs }: ReplicationState, author: string, tips: readonly SignedHead[]): boolean =>
  tips.some((tip) => !holds(logs.get(author) ?? [], tip));

function withAwaited(state: ReplicationState, nowMs: number): ReplicationState {
  const { neighbours, ahead, awaited } = state;
  const authors = [...ahead].filter(([author, others]) => neighbours.has(author) && !others.has(author));
  if (authors.length === 0 && awaited.size === 0) return state;
  return { ...state, awaited: new Map(authors.map(([author]) => [author, awaited.get(author) ?? nowMs])) };
}

/**
 * Asks one neighbour for each log that somebody has more of: the author where it is one of them, or the least busy. The
 * authority's log has a place of its own, with whoever has it.
 */
function fetchMissing(state: ReplicationState, nowMs: number): ReplicationStep {
  const { authority } = state;
  if (state.ahead.size === 0) return { state, effects: [] };
  const fetches = new Map(state.fetches);
  const effects: ReplicationEffect[] = [];
  const others = () => [...fetches].filter(([author]) => author !== authority).map(([, fetch]) => fetch);
  const busyWith = (neighbour: string) => others().filter((fetch) => fetch.neighbour === neighbour).length;
  for (const [author, ahead] of authorityFirst(state)) {
    const isUrgent = author === authority;
    if (fetches.has(author) || (!isUrgent && others().length >= FETCHES_MAX)) continue;
    if (nowMs < (state.awaited.get(author) ?? -Infinity) + PUSH_PATIENCE_MS) continue;
    const [best] = [...ahead]
      .filter(
        (neighbour) =>
          nowMs >= (state.neighbours.get(neighbour)?.failures.get(author)?.askAgainAtMs ?? -Infinity) &&
          (isUrgent || busyWith(neighbour) < FETCHES_FROM_ONE_MAX),
      )
      .sort((a, b) => Number(b === author) - Number(a === author) || busyWith(a) - busyWith(b) || (a < b ? -1 : 1));
    if (best === undefined) continue;
    const tips = state.neighbours.get(best)?.tips.get(author) ?? [];
    fetches.set(author, { neighbour: best, tips, heardAtMs: nowMs, slowSinceMs: nowMs, broughtBytes: 0 });
    effects.push({ kind: 'fetch', neighbour: best, author });
  }
  return { state: { ...state, fetches }, effects };
}

function authorityFirst({ ahead, authority }: ReplicationState): (readonly [string, ReadonlySet<string>])[] {
  const others = [...ahead].filter(([author]) => author !== authority);
  const first = ahead.get(authority);
  return first === undefined ? others : [[authority, first], ...others];
}
