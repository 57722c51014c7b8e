import { headToText, type Batch, type SignedHead } from '@sparc/protocol/ledger';
import {
  isSameEpoch,
  tipsOf,
  type AuthorLog,
  type EpochEnd,
  type Fork,
  type ReplicationState,
} from '@sparc/protocol/replication';
import type { Delegation, Member, Roster } from '@sparc/protocol/roster';
import type { HeardLink } from '../mesh/index.js';
import type { CloudView, HeadView, LogView, MemberView, MeshView, PolicyLaneView } from '../api/index.js';
import { heldUpTo, missingCount, ownView, type Copies } from './own-copies.js';
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
  readonly links: ReadonlyMap<string, readonly Pick<HeardLink, 'key' | 'field'>[]>;
  /** Neighbours whose fields do not answer them. */
  readonly silent: ReadonlySet<string>;
  readonly roundTripMs: (neighbour: string) => number | undefined;
  readonly clockAheadMs: (neighbour: string) => number | undefined;
  readonly replication: ReplicationState;
  /** Of neighbours that are here, and of those that were. */
  readonly copies: Copies;
  /** Authors of whom no more is taken, and the limit that says so. */
  readonly full: ReadonlyMap<string, string>;
  /** Members whose logs the field does not read to their end. */
  readonly unread: readonly string[];
  readonly forks: readonly Fork[];
  readonly ownBatchAfter: (after: EpochEnd) => Batch | undefined;
  readonly operators: readonly Delegation[];
  readonly policy: PolicyLaneView | undefined;
  /** Undefined where others carry the own log to the cloud, or nobody does. */
  readonly cloud?: CloudView | undefined;
}

export function runningView(facts: MeshFacts): MeshView {
  const { self, roster, listensAt, replication, copies, ownBatchAfter, forks, operators, policy, cloud } = facts;
  const { site, epoch, issuedUnixMs, notAfterUnixMs, members, expelled } = roster;
  const hears = hearingOf(facts);
  const reached = new Set(reachOf(facts));
  return {
    state: 'running',
    roster: { site, epoch, issuedUnixMs, notAfterUnixMs },
    listensAt: [...listensAt],
    members: members.map((member) => memberView(facts, hears, reached, member)),
    partitions: partitionsOf(
      self,
      members.map(({ key }) => key),
      hears,
    ),
    logs: logViews(facts),
    own: ownView(
      replication.logs.get(self) ?? [],
      copies,
      members.map(({ key }) => key).filter((key) => key !== self),
      ownBatchAfter,
    ),
    forks: forks.map(({ kind, first, second }) => ({ kind, first: headView(first), second: headView(second) })),
    expelled: expelled.map(({ key, name, heads }) => ({ key, name, heads: heads.map(headView) })),
    operators: operators.map(({ operator, name, rights, scope, notAfterUnixMs }) => ({
      key: operator,
      name,
      rights: [...rights],
      scope: [...scope],
      untilUnixMs: notAfterUnixMs,
    })),
    ...(policy !== undefined && { policy }),
    ...(cloud !== undefined && { cloud }),
  };
}

/**
 * Members that are heard, directly or through others, whose fields answer, and of whose logs all is taken; without the own
 * gateway.
 */
export function reachOf(facts: ReachFacts): string[] {
  const { self, roster } = facts;
  const [own = []] = partitionsOf(
    self,
    roster.members.map(({ key }) => key),
    hearingOf(facts),
  );
  return own.filter((key) => key !== self && !isSilent(facts, key) && isTaken(facts, key));
}

type HearingFacts = Pick<MeshFacts, 'self' | 'roster' | 'hereSinceUnixMs' | 'links'>;
type ReachFacts = HearingFacts & Pick<MeshFacts, 'silent' | 'replication' | 'full'>;

/** Its own word counts; of one that is not here, that of all who hear it: one who lies takes nobody away. */
function isSilent({ hereSinceUnixMs, links, silent }: ReachFacts, key: string): boolean {
  if (hereSinceUnixMs.has(key)) return silent.has(key);
  const told = [...links.values()].flatMap((heard) => heard.filter((link) => link.key === key));
  return told.length > 0 && told.every(({ field }) => field === 'silent');
}

/** Whether there is room for what an author says: where it has too many epochs, there is in those that are here. */
function isTaken({ replication, full }: ReachFacts, author: string): boolean {
  const limit = full.get(author);
  if (limit !== 'epochs') return limit === undefined;
  const log = replication.logs.get(author) ?? [];
  return announced(replication, author).every(({ epoch }) => heldUpTo(log, epoch) > 0);
}

/** By member that is heard here: whom it hears, of those on the roster. */
function hearingOf({ self, roster, hereSinceUnixMs, links }: HearingFacts): ReadonlyMap<string, readonly string[]> {
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
  reached: ReadonlySet<string>,
  { key, name, addresses }: Member,
): MemberView {
  const isSelf = key === facts.self;
  const hereSinceUnixMs = facts.hereSinceUnixMs.get(key);
  const awaySinceUnixMs = facts.awaySinceUnixMs.get(key);
  const roundTripMs = facts.roundTripMs(key);
  const clockAheadMs = facts.clockAheadMs(key);
  const heard = hears.get(key);
  const copy = facts.copies.get(key);
  return {
    key,
    name,
    addresses: [...addresses],
    isSelf,
    isReached: isSelf || (reached.has(key) && !facts.unread.includes(key)),
    ...(hereSinceUnixMs !== undefined && { hereSinceUnixMs }),
    ...(awaySinceUnixMs !== undefined && { awaySinceUnixMs }),
    ...(roundTripMs !== undefined && { roundTripMs }),
    ...(clockAheadMs !== undefined && { clockAheadMs }),
    ...(heard !== undefined && { hears: [...heard] }),
    ...(copy !== undefined && { ownMissingCount: missingCount(facts.replication.logs.get(facts.self) ?? [], copy) }),
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

const headView = (head: SignedHead): HeadView => JSON.parse(headToText(head)) as HeadView;
