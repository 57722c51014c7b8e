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
import type { Delegation, Member, Roster } from '@sparc/protocol/roster';
import type { HeadView, LogView, MemberView, MeshView, PolicyLaneView } from '../api/index.js';
import { partitionsOf } from './partitions.js';

/** What a view of the mesh is made from. */
export interface MeshFacts {
  /** Own public key, in hex. */
  readonly self: string;
  /** Public key of the site authority, in hex. */
  readonly authority: string;
  readonly roster: Roster;
  readonly listensAt: readonly string[];
  readonly hereSinceUnixMs: ReadonlyMap<string, number>;
  readonly awaySinceUnixMs: ReadonlyMap<string, number>;
  /** By neighbour: whom it says to hear. */
  readonly links: ReadonlyMap<string, readonly { readonly key: string }[]>;
  readonly roundTripMs: (neighbour: string) => number | undefined;
  readonly replication: ReplicationState;
  /** Authors of whom no more is taken, and the limit that says so. */
  readonly full: ReadonlyMap<string, string>;
  readonly forks: readonly Fork[];
  readonly ownBatchAfter: (after: EpochEnd) => Batch | undefined;
  readonly operators: readonly Delegation[];
  readonly policy: PolicyLaneView | undefined;
}

export function runningView(facts: MeshFacts): MeshView {
  const { self, roster, listensAt, forks, operators, policy } = facts;
  const { site, epoch, issuedUnixMs, notAfterUnixMs, members, expelled } = roster;
  const hears = hearingOf(facts);
  return {
    state: 'running',
    roster: { site, epoch, issuedUnixMs, notAfterUnixMs },
    listensAt: [...listensAt],
    members: members.map((member) => memberView(facts, hears, member)),
    partitions: partitionsOf(
      self,
      members.map(({ key }) => key),
      hears,
    ),
    logs: logViews(facts),
    own: ownView(facts),
    forks: forks.map(({ kind, first, second }) => ({ kind, first: headView(first), second: headView(second) })),
    expelled: expelled.map(({ key, name, heads }) => ({ key, name, heads: heads.map(headView) })),
    operators: operators.map(({ operator, name, rights, notAfterUnixMs }) => ({
      key: operator,
      name,
      rights: [...rights],
      untilUnixMs: notAfterUnixMs,
    })),
    ...(policy !== undefined && { policy }),
  };
}

/** By member that is heard here: whom it hears, of those on the roster. */
function hearingOf({ self, roster, hereSinceUnixMs, links }: MeshFacts): ReadonlyMap<string, readonly string[]> {
  const isMember = (key: string) => roster.members.some((member) => member.key === key);
  const here = [...hereSinceUnixMs.keys()];
  const told = here.flatMap((key): [string, string[]][] => {
    const heard = links.get(key);
    return heard === undefined ? [] : [[key, heard.map((link) => link.key).filter(isMember)]];
  });
  return new Map([[self, here.filter(isMember)], ...told]);
}

function memberView(
  facts: MeshFacts,
  hears: ReadonlyMap<string, readonly string[]>,
  { key, name, addresses }: Member,
): MemberView {
  const isSelf = key === facts.self;
  const hereSinceUnixMs = facts.hereSinceUnixMs.get(key);
  const awaySinceUnixMs = facts.awaySinceUnixMs.get(key);
  const roundTripMs = facts.roundTripMs(key);
  const heard = hears.get(key);
  return {
    key,
    name,
    addresses: [...addresses],
    isSelf,
    ...(hereSinceUnixMs !== undefined && { hereSinceUnixMs, ownMissingCount: ownMissingCount(facts.replication, key) }),
    ...(awaySinceUnixMs !== undefined && { awaySinceUnixMs }),
    ...(roundTripMs !== undefined && { roundTripMs }),
    ...(heard !== undefined && { hears: [...heard] }),
  };
}

/** Of the authority and all members, and of whoever was one. */
function logViews({ authority, roster: { members }, replication, full }: MeshFacts): LogView[] {
  const names = new Map([
    [authority, 'site authority'],
    ...members.map(({ key, name }): [string, string] => [key, name]),
  ]);
  const authors = new Set([...members.map(({ key }) => key), authority, ...replication.logs.keys()]);
  return [...authors].flatMap((author) => {
    const log = replication.logs.get(author) ?? [];
    const behindCount = author === replication.self ? 0 : behind(log, announced(replication, author));
    if (log.length === 0 && behindCount === 0) return [];
    const name = names.get(author);
    const limit = full.get(author);
    return [
      {
        author,
        ...(name !== undefined && { name }),
        heads: tipsOf(log).map(headView),
        behindCount,
        ...(limit !== undefined && { full: limit }),
      },
    ];
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
    unreplicatedCount: countBehind(log, alone),
    ...(since !== undefined && { unreplicatedSinceUnixMs: since }),
  };
}

function ownMissingCount({ self, logs, neighbours }: ReplicationState, neighbour: string): number {
  const log = logs.get(self) ?? [];
  return countBehind(log, unreplicated(log, neighbours.get(neighbour)?.tips.get(self) ?? []));
}

const countBehind = (log: AuthorLog, ends: readonly EpochEnd[]): number =>
  ends.reduce((sum, { epoch, sequence }) => sum + heldUpTo(log, epoch) - sequence, 0);

/** Where in each epoch that begins which whoever told of `tips` has not, oldest first. */
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
