import { count, listOf } from '../../protocol/page/phrases.js';
import { ago } from '../../protocol/page/times.js';
import { millis } from './commissioning-words.js';

/** Says in plain words what a gateway knows of the mesh of its site; `/api/mesh` gives it. */

export const STATE_WORDS = {
  off: 'This gateway speaks to no other: its configuration has no mesh.',
  starting: 'The mesh is starting.',
  notJoined: 'This gateway has joined no site. `sparc gateway request` begins it.',
  failed: 'The mesh does not run; it is tried again.',
};

export const FORK_WORDS = {
  altered: 'It signed two different entries at one place.',
  setBack: 'Its disk was set back, and it went on from there.',
  twoLives: 'It went on twice from one place: its key or its disk is there twice.',
};

/** Why no more of a ledger is taken. */
const FULL_WORDS = {
  author: 'it is as long as it may be',
  epochs: 'its gateway started as often as it may',
  all: 'all ledgers together are as long as they may be',
  disk: 'the disk is nearly full',
  write: 'the disk did not take it',
};

/** Up to as many members each has a link to every other one. */
const FULL_MESH_MAX = 16;

const KEY_START = 8;

/** What a person calls whoever has a key. */
export function nameOf({ members, expelled, logs }, key) {
  const known = [...members, ...expelled].find((one) => one.key === key) ?? logs.find(({ author }) => author === key);
  return known?.name ?? `${key.slice(0, KEY_START)}…`;
}

/** Members that nobody whom this gateway hears, hears. */
export const apartOf = ({ members, partitions }) =>
  members.filter(({ key, isSelf }) => !isSelf && !partitions[0]?.includes(key));

/**
 * Every two members of which one says something of the other: { ends, state }. `heard`: nobody denies it; `oneWay`: one
 * hears the other and not the other way round; `cut`: there is no link.
 */
export function linksOf({ members }) {
  return members.flatMap((one, at) =>
    members.slice(at + 1).flatMap((other) => {
      const said = [one.hears?.includes(other.key), other.hears?.includes(one.key)];
      const isHeard = said.includes(true);
      const isDenied = said.includes(false);
      if (!isHeard && !isDenied) return [];
      const state = isHeard ? (isDenied ? 'oneWay' : 'heard') : 'cut';
      return [{ ends: [one, other], state }];
    }),
  );
}

/** Links that should be there and are not, or one way only, between members that are in reach. */
export function faultyLinksOf(mesh) {
  if (mesh.members.length > FULL_MESH_MAX) return [];
  const inReach = ({ key }) => mesh.partitions[0]?.includes(key);
  return linksOf(mesh).filter(({ ends, state }) => state !== 'heard' && ends.every(inReach));
}

/** The mesh in one sentence, with how good that is: { level, words }. */
export function headlineOf(mesh) {
  const { state, members } = mesh;
  if (state !== 'running') return { level: state === 'failed' ? 'bad' : 'waiting', words: STATE_WORDS[state] };
  if (!members.some(({ isSelf }) => isSelf)) return { level: 'bad', words: 'This gateway is no member of its site.' };
  if (members.length === 1) return { level: 'good', words: 'This gateway is the only one of its site.' };
  const apart = apartOf(mesh);
  if (apart.length === members.length - 1) return { level: 'bad', words: 'No other gateway is heard.' };
  if (apart.length > 0) {
    const words = `${listOf(apart.map(({ name }) => name))} ${apart.length === 1 ? 'is' : 'are'} not heard.`;
    return { level: 'bad', words };
  }
  const faulty = faultyLinksOf(mesh).length;
  if (faulty === 0) return { level: 'good', words: `All ${members.length} gateways hear each other.` };
  return { level: 'warn', words: `All gateways are in reach, but ${count(faulty, 'link is', 'links are')} down.` };
}

/** How this gateway hears a member: { level, words }. */
export function hearingOf(member, mesh, nowMs) {
  const { key, isSelf, hereSinceUnixMs, awaySinceUnixMs } = member;
  if (isSelf) return { level: 'good', words: 'This gateway' };
  if (hereSinceUnixMs !== undefined) return { level: 'good', words: `Heard for ${ago(nowMs - hereSinceUnixMs)}` };
  if (mesh.partitions[0]?.includes(key)) {
    const level = mesh.members.length > FULL_MESH_MAX ? 'good' : 'warn';
    return { level, words: 'Heard through others' };
  }
  if (awaySinceUnixMs === undefined) return { level: 'bad', words: 'Not heard yet' };
  return { level: 'bad', words: `Not heard for ${ago(nowMs - awaySinceUnixMs)}` };
}

/** What is to be said of one member: its links, its ledger here and the own ledger there. */
export function memberFacts(member, mesh) {
  const { key, isSelf, hears, roundTripMs, ownMissingCount } = member;
  const log = mesh.logs.find(({ author }) => author === key);
  return [
    hears === undefined ? undefined : ['Hears', hearsWords(hears, mesh)],
    roundTripMs === undefined ? undefined : ['Round trip', millis(roundTripMs)],
    [isSelf ? 'Ledger' : 'Ledger here', ledgerWords(log)],
    ownMissingCount === undefined
      ? undefined
      : ['Of ours it has', ownMissingCount === 0 ? 'all' : `all but ${count(ownMissingCount, 'entry', 'entries')}`],
  ].filter((fact) => fact !== undefined);
}

function hearsWords(hears, mesh) {
  if (hears.length === mesh.members.length - 1 && hears.length > 1) return 'all others';
  return listOf(hears.map((key) => nameOf(mesh, key))) || 'nobody';
}

/** How far a ledger is on the disk of this gateway. */
export function ledgerWords(log) {
  if (log === undefined) return 'nothing yet';
  const full = log.full === undefined ? '' : `; no more is taken: ${FULL_WORDS[log.full] ?? log.full}`;
  const upTo = log.heads.map(({ epoch, sequence }) => `${epoch.counter}.${sequence}`).join(' and ');
  const behind = log.behindCount === 0 ? '' : `, ${count(log.behindCount, 'entry', 'entries')} behind`;
  return `${upTo === '' ? 'nothing yet' : `up to ${upTo}`}${behind}${full}`;
}

export function ownWords({ own, members }, nowMs) {
  if (own === undefined || members.length < 2) return undefined;
  const { replicasCount, unreplicatedCount, unreplicatedSinceUnixMs: since } = own;
  if (unreplicatedCount > 0) {
    const age = since === undefined ? '' : `, the oldest for ${ago(nowMs - since)}`;
    return `${count(unreplicatedCount, 'entry is', 'entries are')} on this gateway only${age}`;
  }
  return replicasCount === 0 ? 'whole on no other gateway' : `whole on ${count(replicasCount, 'other gateway')}`;
}

export function rosterWords({ roster }, clock, nowMs) {
  if (roster === undefined) return undefined;
  const until = clock.full(roster.notAfterUnixMs);
  const end = roster.notAfterUnixMs > nowMs ? `until ${until}` : `expired on ${until}; it goes on counting`;
  return `number ${roster.epoch}, signed ${ago(nowMs - roster.issuedUnixMs)} ago, ${end}`;
}

export function policyWords({ policy }, catalogue, nowMs) {
  if (policy === undefined) return undefined;
  const { inForce, newest, partsMissingCount, rejected } = policy;
  const parts = [
    inForce === undefined
      ? 'none of the authority in force'
      : `revision ${inForce.number} in force, signed ${ago(nowMs - inForce.issuedUnixMs)} ago`,
  ];
  if (rejected !== undefined) {
    const why = catalogue.errors[rejected.code]?.meaning ?? rejected.code;
    parts.push(`revision ${rejected.number} was rejected: ${why}`);
  } else if (newest !== undefined && newest.number !== inForce?.number) {
    const missing = partsMissingCount === 0 ? 'is applied' : `comes, ${count(partsMissingCount, 'part')} missing`;
    parts.push(`revision ${newest.number} ${missing} (known for ${ago(nowMs - newest.knownSinceUnixMs)})`);
  }
  return parts.join('; ');
}
