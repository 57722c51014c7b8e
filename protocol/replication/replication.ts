import { bytesToHex } from '@noble/hashes/utils.js';
import { sameBytes, type Batch, type SignedHead } from '../ledger/index.js';
import { announce, announcesAtMs, everything, withHolder, withPushes } from './announcing.js';
import { holds, isSameEpoch, type AuthorLog } from './author-log.js';
import type {
  Failure,
  Fetch,
  HeadsInput,
  ReplicationEffect,
  ReplicationInput,
  ReplicationState,
  ReplicationStep,
  TipsByAuthor,
} from './replication-state.js';

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

/**
 * Messages only hint; the truth is in the tips of both sides, so a lost, late or repeated one does no harm. What happens at
 * once is answered once.
 */
export function step(state: ReplicationState, nowMs: number, ...inputs: readonly ReplicationInput[]): ReplicationStep {
  let next = state;
  const effects: ReplicationEffect[] = [];
  for (const input of inputs) {
    const taken = take(next, nowMs, input);
    next = taken.state;
    effects.push(...taken.effects);
  }
  const announced = announce(next, nowMs);
  const fetching = fetchMissing(withAwaited(announced.state, nowMs), nowMs);
  return { state: fetching.state, effects: [...effects, ...announced.effects, ...fetching.effects] };
}

/** When `time` is due. */
export function nextDeadlineMs(state: ReplicationState, nowMs: number): number {
  const { fetches, neighbours, awaited } = state;
  let dueMs = announcesAtMs(state);
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
      const nothingTold = { tips: new Map(), neighbours: new Set<string>(), hasToldAll: false, failures: new Map() };
      const neighbours = new Map(state.neighbours).set(input.neighbour, nothingTold);
      const ahead = aheadWithout(state, input.neighbour);
      const joined = { ...state, neighbours, ahead, haveNeighboursChanged: true };
      return { state: joined, effects: [{ kind: 'send', neighbour: input.neighbour, heads: everything(joined) }] };
    }
    case 'disconnected': {
      const neighbours = new Map(state.neighbours);
      neighbours.delete(input.neighbour);
      const given = [...state.fetches].filter(([, { neighbour }]) => neighbour === input.neighbour);
      return withoutFetches(
        { ...state, neighbours, ahead: aheadWithout(state, input.neighbour), haveNeighboursChanged: true },
        given.map(([author]) => author),
      );
    }
    case 'heads':
      return { state: onHeads(state, input), effects: [] };
    case 'stored':
      return { state: onStored(state, input.author, input.log, input.pushed), effects: [] };
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

function onHeads(state: ReplicationState, input: HeadsInput): ReplicationState {
  const { neighbour, tips, complete, neighbours: heard = [], pushed = [] } = input;
  const known = state.neighbours.get(neighbour);
  if (known === undefined) return state;
  const news = [...tips.keys()].filter((author) => !isSaid(known.tips.get(author), tips.get(author)));
  const gone = complete ? [...known.tips.keys()].filter((author) => !tips.has(author)) : [];
  const changed = [...news, ...gone];
  const told = {
    ...known,
    // The same list as long as nothing changes.
    ...(changed.length > 0 && { tips: complete ? tips : new Map([...known.tips, ...tips]) }),
    ...(heard.length > 0 && { neighbours: new Set(heard) }),
    hasToldAll: known.hasToldAll || complete,
  };
  const neighbours = new Map(state.neighbours).set(neighbour, told);
  const pushes = pushed.length === 0 ? state.pushes : withHolder(state.pushes, neighbour, pushed);
  return withAhead({ ...state, neighbours, pushes }, changed, [neighbour]);
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

function onStored(
  state: ReplicationState,
  author: string,
  log: AuthorLog,
  pushed: readonly Batch[] = [],
): ReplicationState {
  const logs = new Map(state.logs).set(author, log);
  const changed = new Set([...state.changed, author]);
  const stored = { ...state, logs, changed, pushes: withPushes(state, author, pushed) };
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
