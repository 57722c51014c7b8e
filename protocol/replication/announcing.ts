import { sameBytes, type Batch, type SignedHead } from '../ledger/index.js';
import { isSameEpoch, tipsOf, type AuthorLog } from './author-log.js';
import { AUTHORS_MAX, PUSHED_BATCHES_MAX, TIPS_MAX, type Heads } from './messages.js';
import type { Neighbour, Push, ReplicationState, ReplicationStep } from './replication-state.js';

/**
 * The first change is announced at once, those that follow together after this: of the own log, and of others only. What is
 * pushed goes as often as own news.
 */
export const ANNOUNCE_PAUSE_MS = 20;
/** What was taken of others is told less often: in a site of 16 each entry is taken by 15, who all tell 15. */
export const ANNOUNCE_OTHERS_PAUSE_MS = 100;
/** All heads are said again this often: a message that was lost costs latency, nothing else. */
export const ANNOUNCE_ALL_MS = 30_000;
/** Bytes that are pushed at once; what is more is fetched. */
export const PUSHED_BYTES_MAX = 32_768;

/** When neighbours are to be told something. */
export const announcesAtMs = (state: ReplicationState): number =>
  Math.min(state.announcedAllAtMs + ANNOUNCE_ALL_MS, tellsAtMs(state), pushesAtMs(state));

/** Tells all neighbours what is on the own disk, and pushes what is new to those that are not known to have it. */
export function announce(state: ReplicationState, nowMs: number): ReplicationStep {
  const isAllDue = nowMs >= state.announcedAllAtMs + ANNOUNCE_ALL_MS;
  const isTelling = isAllDue || nowMs >= tellsAtMs(state);
  if (!isTelling && nowMs < pushesAtMs(state)) return { state, effects: [] };
  const told = isTelling ? news(state, isAllDue) : NOTHING;
  const { pushes } = state;
  // Whoever is told the same is told so in one message.
  const messages = new Map<string, Heads>();
  const effects = [...state.neighbours].flatMap(([neighbour, known]) => {
    const lacking = pushes.filter((push) => push.author === state.self || lacks(neighbour, known, push));
    if (!isTelling && lacking.length === 0) return [];
    const name = lacking.map((push) => pushes.indexOf(push)).join();
    const heads = messages.get(name) ?? { ...told, pushed: lacking.map(({ batch }) => batch) };
    messages.set(name, heads);
    return [{ kind: 'send', neighbour, heads } as const];
  });
  const pushed = { ...state, pushes: [], pushedAtMs: nowMs };
  if (!isTelling) return { state: pushed, effects };
  const announced = { ...pushed, changed: new Set<string>(), haveNeighboursChanged: false, announcedAtMs: nowMs };
  return { state: isAllDue ? { ...announced, announcedAllAtMs: nowMs } : announced, effects };
}

function tellsAtMs({ self, changed, haveNeighboursChanged, announcedAtMs }: ReplicationState): number {
  if (changed.has(self)) return announcedAtMs + ANNOUNCE_PAUSE_MS;
  return changed.size > 0 || haveNeighboursChanged ? announcedAtMs + ANNOUNCE_OTHERS_PAUSE_MS : Infinity;
}

const pushesAtMs = ({ pushes, pushedAtMs }: ReplicationState): number =>
  pushes.length === 0 ? Infinity : pushedAtMs + ANNOUNCE_PAUSE_MS;

type News = Omit<Heads, 'pushed'>;
const NOTHING: News = { tips: [], complete: false, neighbours: [] };

const news = (state: ReplicationState, complete: boolean): News => ({
  tips: complete ? allTips(state) : [...state.changed].flatMap((author) => announcedTips(state.logs.get(author) ?? [])),
  complete,
  neighbours: complete || state.haveNeighboursChanged ? [...state.neighbours.keys()] : [],
});

/** All that is held, for a neighbour that has just come. */
export const everything = (state: ReplicationState): Heads => ({ ...news(state, true), pushed: [] });

/** More logs than a message holds are those of a site that replaced its gateways many times: the first of them go untold. */
export const allTips = ({ logs }: Pick<ReplicationState, 'logs'>): SignedHead[] =>
  [...logs.values()].flatMap(announcedTips).slice(-AUTHORS_MAX * TIPS_MAX);

const announcedTips = (log: AuthorLog): SignedHead[] => tipsOf(log).slice(0, TIPS_MAX);

/**
 * Those that fit into a message: the first of each author before the second of any, small before large, so that nobody who
 * writes much keeps others from being heard at once. What follows on one that does not fit has to be fetched with it.
 */
function fitting(pushes: readonly Push[]): readonly Push[] {
  const counts = new Map<string, number>();
  const turns = pushes.map((push) => {
    const turn = counts.get(push.author) ?? 0;
    counts.set(push.author, turn + 1);
    return { push, turn, sizeBytes: push.batch.contents.reduce((sum, { length }) => sum + length, 0) };
  });
  const taken = new Set<Push>();
  const passedOver = new Set<string>();
  let leftBytes = PUSHED_BYTES_MAX;
  for (const { push, sizeBytes } of turns.sort((a, b) => a.turn - b.turn || a.sizeBytes - b.sizeBytes)) {
    if (sizeBytes > leftBytes || taken.size === PUSHED_BATCHES_MAX) passedOver.add(push.author);
    if (passedOver.has(push.author)) continue;
    taken.add(push);
    leftBytes -= sizeBytes;
  }
  return pushes.filter((push) => taken.has(push));
}

/** Whether a neighbour is not known to have entries of somebody else, and does not get them from their author. */
function lacks(neighbour: string, { tips, neighbours }: Neighbour, { author, batch, holders }: Push): boolean {
  if (neighbour === author || neighbours.has(author) || holders.has(neighbour)) return false;
  return !tips.get(author)?.some(({ epoch, sequence }) => isSameEpoch(epoch, batch.epoch) && sequence >= lastOf(batch));
}

/** What is waiting to be pushed, with more of it, as far as it fits into a message. */
export const withPushes = ({ pushes }: ReplicationState, author: string, batches: readonly Batch[]): readonly Push[] =>
  batches.length === 0 ? pushes : fitting([...pushes, ...batches.map((batch) => ({ author, batch, holders: NOBODY }))]);

const NOBODY: ReadonlySet<string> = new Set();

/** What is waiting to be pushed when a neighbour has pushed some of it. */
export const withHolder = (pushes: readonly Push[], neighbour: string, pushed: readonly Batch[]): readonly Push[] =>
  pushes.map((push) =>
    pushed.some((batch) => covers(batch, push.batch))
      ? { ...push, holders: new Set([...push.holders, neighbour]) }
      : push,
  );

const covers = (batch: Batch, other: Batch): boolean =>
  sameBytes(batch.author, other.author) && isSameEpoch(batch.epoch, other.epoch) && lastOf(batch) >= lastOf(other);

/** Sequence of the last entry. */
const lastOf = ({ firstSequence, contents }: Batch): number => firstSequence + contents.length - 1;
