import { EntryContent, headToText, type Batch, type SignedHead } from '@sparc/protocol/ledger';
import {
  holds,
  holdersOf,
  isSameEpoch,
  tipsOf,
  type AuthorLog,
  type EpochEnd,
  type Fork,
  type ReplicationState,
} from '@sparc/protocol/replication';
import type { Roster } from '@sparc/protocol/roster';
import type { HeadView, LogView, MemberView, MeshView } from '../api/index.js';

/** What a view of the mesh is made from. */
export interface MeshFacts {
  /** Own public key, in hex. */
  readonly self: string;
  /** Public key of the site authority, in hex. */
  readonly authority: string;
  readonly roster: Roster;
  readonly listensAt: readonly string[];
  readonly hereSinceUnixMs: ReadonlyMap<string, number>;
  readonly roundTripMs: (neighbour: string) => number | undefined;
  readonly replication: ReplicationState;
  readonly forks: readonly Fork[];
  readonly ownBatchAfter: (after: EpochEnd) => Batch | undefined;
}

export function runningView(facts: MeshFacts): MeshView {
  const { roster, listensAt, forks } = facts;
  const { site, epoch, issuedUnixMs, notAfterUnixMs } = roster;
  return {
    state: 'running',
    roster: { site, epoch, issuedUnixMs, notAfterUnixMs },
    listensAt: [...listensAt],
    members: roster.members.map(({ key, name, addresses }) => memberView(facts, key, name, addresses)),
    logs: logViews(facts),
    own: ownView(facts),
    forks: forks.map(({ kind, first, second }) => ({ kind, first: headView(first), second: headView(second) })),
  };
}

function memberView(
  { self, hereSinceUnixMs, roundTripMs }: MeshFacts,
  key: string,
  name: string,
  addresses: readonly string[],
): MemberView {
  const since = hereSinceUnixMs.get(key);
  const roundTrip = roundTripMs(key);
  return {
    key,
    name,
    addresses: [...addresses],
    isSelf: key === self,
    ...(since !== undefined && { hereSinceUnixMs: since }),
    ...(roundTrip !== undefined && { roundTripMs: roundTrip }),
  };
}

/** Of the authority and all members, and of whoever was one. */
function logViews({ authority, roster, replication }: MeshFacts): LogView[] {
  const names = new Map(roster.members.map(({ key, name }) => [key, name]));
  const authors = new Set([...names.keys(), authority, ...replication.logs.keys()]);
  return [...authors].flatMap((author) => {
    const log = replication.logs.get(author) ?? [];
    const behindCount = author === replication.self ? 0 : behind(log, announced(replication, author));
    if (log.length === 0 && behindCount === 0) return [];
    const name = names.get(author);
    return [{ author, ...(name !== undefined && { name }), heads: tipsOf(log).map(headView), behindCount }];
  });
}

const announced = ({ neighbours }: ReplicationState, author: string): SignedHead[] =>
  [...neighbours.values()].flatMap(({ tips }) => tips.get(author) ?? []);

/** Neighbours announce ends, not how many entries are before them: what is missing of older epochs is not counted. */
function behind(log: AuthorLog, tips: readonly SignedHead[]): number {
  const furthest = tips.filter(
    (tip) => !tips.some((other) => isSameEpoch(tip.epoch, other.epoch) && other.sequence > tip.sequence),
  );
  const ends = furthest.filter((tip, at) => furthest.findIndex(({ epoch }) => isSameEpoch(epoch, tip.epoch)) === at);
  return ends.reduce((sum, { epoch, sequence }) => sum + Math.max(0, sequence - heldUpTo(log, epoch)), 0);
}

const heldUpTo = (log: AuthorLog, epoch: SignedHead['epoch']): number =>
  log.find(({ head }) => isSameEpoch(head.epoch, epoch))?.head.sequence ?? 0;

function ownView({ self, replication, ownBatchAfter }: MeshFacts): NonNullable<MeshView['own']> {
  const log = replication.logs.get(self) ?? [];
  const [newest] = tipsOf(log);
  if (newest === undefined) return { replicasCount: 0, unreplicatedCount: 0 };
  const alone = unreplicated(log, announced(replication, self));
  const [first] = alone;
  const since = first && recordedUnixMs(ownBatchAfter(first));
  return {
    replicasCount: holdersOf(replication, newest).length,
    unreplicatedCount: alone.reduce((sum, { epoch, sequence }) => sum + heldUpTo(log, epoch) - sequence, 0),
    ...(since !== undefined && { unreplicatedSinceUnixMs: since }),
  };
}

/** Where in each epoch that begins which no neighbour has, oldest first. */
function unreplicated(log: AuthorLog, tips: readonly SignedHead[]): EpochEnd[] {
  const known = tips.filter((tip) => holds(log, tip));
  const last = known.reduce((max, { epoch }) => Math.max(max, epoch.counter), -1);
  return log
    .map(({ head: { epoch } }) => epoch)
    .filter(({ counter }) => counter >= last)
    .sort((a, b) => a.counter - b.counter)
    .map((epoch) => ({
      epoch,
      sequence: Math.max(0, ...known.filter((tip) => isSameEpoch(tip.epoch, epoch)).map(({ sequence }) => sequence)),
    }))
    .filter(({ epoch, sequence }) => sequence < heldUpTo(log, epoch));
}

function recordedUnixMs(batch: Batch | undefined): number | undefined {
  const [content] = batch?.contents ?? [];
  return content && EntryContent.decode(content).wallUnixMs;
}

const headView = (head: SignedHead): HeadView => JSON.parse(headToText(head)) as HeadView;
