import type { LogView, MemberView, MeshView } from '../api/index.js';
import { table } from './text-table.js';

const STATE_TEXTS = {
  off: 'The configuration has no mesh: this gateway speaks to no other.',
  starting: 'The mesh is starting.',
  notJoined: 'This gateway has joined no site: `sparc gateway request` begins it.',
  failed: 'The mesh DOES NOT RUN; it is tried again.',
} as const;

/** The state of the mesh, for people. */
export function meshText(view: MeshView, nowUnixMs: number): string {
  const { state, trouble, members, logs, forks, expelled } = view;
  return [
    state === 'running' ? runningText(view, nowUnixMs) : STATE_TEXTS[state],
    ...(trouble === undefined ? [] : [`${trouble.code}: ${trouble.message}`]),
    ...forks.map(({ kind, first }) => `FORK: ${nameOf(view, first.author)} signed two histories (${kind}).`),
    ...expelled.map(({ key, name }) => `EXPELLED: ${name} (${key}).`),
    ...(members.length === 0
      ? []
      : [
          '',
          ...table(
            ['gateway', 'key', 'link', 'ping', 'its ledger here', 'behind'],
            members.map((member) =>
              row(
                view,
                member,
                logs.find(({ author }) => author === member.key),
                nowUnixMs,
              ),
            ),
          ),
        ]),
  ].join('\n');
}

/** Whom each member hears, for people. */
export function peersText(view: MeshView, nowUnixMs: number): string {
  const { members, state } = view;
  if (members.length === 0) return state === 'running' ? 'The site has no gateway.' : STATE_TEXTS[state];
  const rows = members.map((member) => {
    const { name, roundTripMs, hears, ownMissingCount, addresses } = member;
    return [
      name,
      linkText(view, member, nowUnixMs),
      roundTripMs === undefined ? '' : pingText(roundTripMs),
      hears === undefined ? 'not known' : hears.map((key) => nameOf(view, key)).join(' ') || 'NOBODY',
      ownMissingCount === undefined ? '' : String(ownMissingCount),
      addresses.join(' '),
    ];
  });
  return [partitionsText(view), '', ...table(['gateway', 'link', 'ping', 'hears', 'lacks', 'addresses'], rows)].join(
    '\n',
  );
}

function runningText(view: MeshView, nowUnixMs: number): string {
  const { roster, listensAt, own } = view;
  const { replicasCount = 0, unreplicatedCount = 0, unreplicatedSinceUnixMs: since } = own ?? {};
  const age = since === undefined ? '' : `, the oldest for ${ageText(nowUnixMs - since)}`;
  const isExpired = roster !== undefined && roster.notAfterUnixMs <= nowUnixMs;
  return [
    `Site ${roster?.site ?? '?'}, roster ${roster?.epoch ?? '?'}${isExpired ? ', EXPIRED: ask the authority for a new one' : ''}.`,
    `Listens at ${listensAt.join(' and ')}.`,
    `${counted(replicasCount, 'neighbour has', 'neighbours have')} all of the own ledger.`,
    unreplicatedCount === 0
      ? 'Each own entry is on another gateway, too.'
      : `${counted(unreplicatedCount, 'own entry is', 'own entries are')} HERE ONLY${age}.`,
    partitionsText(view),
    ...policyTexts(view, nowUnixMs),
  ].join('\n');
}

/** Which members hear each other, and which none of these do. */
function partitionsText(view: MeshView): string {
  const [own = [], ...apart] = view.partitions;
  const named = (keys: readonly string[]) => keys.map((key) => nameOf(view, key)).join(', ');
  if (apart.length === 0) return own.length < 2 ? 'No other gateway is on the roster.' : 'All gateways are in reach.';
  return `APART: ${[own, ...apart].map(named).join(' | ')}.`;
}

function policyTexts({ policy }: MeshView, nowUnixMs: number): string[] {
  if (policy === undefined) return [];
  const { inForce, newest, partsMissingCount, rejected } = policy;
  const isNewer = newest !== undefined && newest.number !== inForce?.number && newest.number !== rejected?.number;
  const since = newest === undefined ? '' : `, known for ${ageText(nowUnixMs - newest.knownSinceUnixMs)}`;
  return [
    inForce === undefined
      ? 'No policy of the authority is in force.'
      : `Policy revision ${inForce.number} is in force.`,
    ...(isNewer
      ? [`Policy revision ${newest.number} comes: ${counted(partsMissingCount, 'part', 'parts')} missing${since}.`]
      : []),
    ...(rejected === undefined ? [] : [rejectedText(rejected)]),
  ];
}

const rejectedText = ({ number, code }: { readonly number?: number; readonly code: string }) =>
  number === undefined ? `NO new policy is taken: ${code}.` : `Policy revision ${number} was REJECTED: ${code}.`;

function row(view: MeshView, member: MemberView, log: LogView | undefined, nowUnixMs: number): string[] {
  const { key, name, isSelf, roundTripMs } = member;
  return [
    name,
    key,
    linkText(view, member, nowUnixMs),
    roundTripMs === undefined ? '' : pingText(roundTripMs),
    log?.heads.map(({ epoch, sequence }) => `${epoch.counter}.${sequence}`).join(' and ') ?? '-',
    log === undefined || isSelf ? '' : `${log.behindCount}${log.full === undefined ? '' : ` FULL: ${log.full}`}`,
  ];
}

function linkText({ partitions }: MeshView, member: MemberView, nowUnixMs: number): string {
  const { key, isSelf, hereSinceUnixMs, awaySinceUnixMs } = member;
  if (isSelf) return 'this gateway';
  if (hereSinceUnixMs !== undefined) return `for ${ageText(nowUnixMs - hereSinceUnixMs)}`;
  if (partitions[0]?.includes(key)) return 'through others';
  return awaySinceUnixMs === undefined ? 'AWAY' : `AWAY for ${ageText(nowUnixMs - awaySinceUnixMs)}`;
}

const pingText = (roundTripMs: number) => `${roundTripMs.toFixed(1)} ms`;

const nameOf = ({ members, expelled }: MeshView, key: string): string =>
  [...members, ...expelled].find((one) => one.key === key)?.name ?? `${key.slice(0, 8)}…`;

const counted = (count: number, one: string, many: string) => `${count} ${count === 1 ? one : many}`;

const SECOND_MS = 1_000;
const MINUTE_S = 60;

function ageText(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / SECOND_MS));
  return seconds < 2 * MINUTE_S ? `${seconds} s` : `${Math.floor(seconds / MINUTE_S)} min`;
}
