import { ago } from '../../protocol/page/times.js';
import { count } from './commissioning-words.js';

/** Says in plain words what was directed, and how far each gateway is; `/api/delivery` gives it. */

/** What it takes to direct it, by kind. */
export const RIGHT_OF = {
  raise: 'mode',
  release: 'mode',
  revoke: 'revoke',
  visitor: 'grant',
  forgive: 'order',
  door: 'order',
  expel: 'expel',
};
/** What each right lets an operator do. */
export const RIGHT_WORDS = {
  mode: 'lock down and release',
  revoke: 'revoke',
  grant: 'let visitors in',
  order: 'order doors and forgive',
  expel: 'expel gateways',
};

export const DOOR_MODE_WORDS = {
  locked: 'lock',
  unlocked: 'unlock',
  blocked: 'block',
  lockedDown: 'lock down',
  lockedOpen: 'lock open',
  doubleLocked: 'double-lock',
};

const KEY_START = 8;
const QUALITY_WORDS = { synced: 'confirmed', holdover: 'holdover', unsynced: 'not confirmed', stepped: 'not believed' };

/** `{ level, words }` of what was ordered for the site, worst first. */
export function standingOfSite({ raises }) {
  if (raises.some(({ what }) => what === 'fire')) return { level: 'bad', words: 'Fire alarm' };
  if (raises.some(({ what }) => what === 'evacuation')) return { level: 'bad', words: 'Evacuation' };
  const lockdowns = raises.filter(({ what }) => what === 'lockdown');
  if (lockdowns.some(({ scope }) => scope === undefined)) return { level: 'bad', words: 'The site is locked down' };
  if (lockdowns.length > 0) return { level: 'bad', words: 'Parts of the site are locked down' };
  if (raises.length > 0) return { level: 'warn', words: 'The threat level is raised' };
  return { level: 'good', words: 'Nothing is ordered for the site' };
}

/** One order that stands. `places`: names of areas and doors. */
export function raiseWords({ what, level, scope, input }, places) {
  const where = scope === undefined ? '' : ` of ${scope.map((id) => placeName(id, places)).join(', ')}`;
  return {
    lockdown: `Lockdown${where}`,
    threat: `Threat level ${level}${where}`,
    evacuation: 'Evacuation',
    fire: `Fire alarm ${input ?? ''}`.trim(),
  }[what];
}

export const placeName = (id, { doors, areas, profiles }) =>
  [...doors, ...areas, ...profiles].find((place) => place.id === id)?.name ?? id;

/** What a directive says. */
export function directiveWords({ kind, detail }, places, mesh) {
  switch (kind) {
    case 'raise':
      return raiseWords({ ...detail, scope: detail.scope?.split(' ') }, places);
    case 'release':
      return `Release of ${count(detail.raises.split(' ').length, 'order')}`;
    case 'revoke':
      return `Revocation of ${detail.subject} ${detail.subjectId}`;
    case 'visitor':
      return `Visitor ${detail.name}`;
    case 'forgive':
      return `Forgiveness of ${detail.holder}`;
    case 'expel':
      return `Expulsion of ${gatewayName(detail.gateway, mesh)}`;
    case 'door':
      return `${placeName(detail.door, places)}: ${doorWords(detail)}`;
    default:
      return kind;
  }
}

function doorWords({ order, mode }) {
  if (order === 'accessDoor') return 'let one person through';
  return order === 'releaseDoor' ? 'back to normal' : (DOOR_MODE_WORDS[mode] ?? mode);
}

const gatewayName = (key, mesh) =>
  [...mesh.members, ...mesh.expelled].find((one) => one.key === key)?.name ?? `${key.slice(0, KEY_START)}…`;

export const operatorName = ({ key, name }) => name ?? `${key.slice(0, KEY_START)}…`;

/** How it stands with a directive, in a few words: { level, words }. */
export function outcomeOf({ answeredBy, gateways }) {
  const of = (state) => gateways.filter((each) => each.state === state);
  const [applied, refused, ended, unheard] = [of('applied'), of('refused'), of('ended'), of('unheard')];
  if (answeredBy === 'one') {
    if (applied.length > 0) return { level: 'good', words: 'Carried out' };
    return refused.length > 0 ? { level: 'bad', words: 'Refused' } : { level: 'waiting', words: 'No answer yet' };
  }
  if (ended.length > 0) return { level: 'bad', words: `Ended again by ${ended.length} of ${gateways.length}` };
  if (refused.length > 0) return { level: 'bad', words: `Refused by ${refused.length} of ${gateways.length}` };
  if (unheard.length === 0) return { level: 'good', words: `Applied on all ${gateways.length}` };
  return { level: 'waiting', words: `Applied on ${applied.length} of ${gateways.length}` };
}

export function directivesCell({ directives }, nowMs) {
  const { appliedCount, refusedCount, unheardCount, unheardSinceUnixMs } = directives;
  const parts = [`${appliedCount} applied`];
  if (refusedCount > 0) parts.push(`${refusedCount} refused`);
  if (unheardCount > 0) parts.push(`${unheardCount} not answered for ${ago(nowMs - unheardSinceUnixMs)}`);
  return { level: unheardCount > 0 ? 'warn' : undefined, words: parts.join(', ') };
}

export function clockCell({ clock }) {
  if (clock === undefined) return { words: '' };
  const { quality, errorMs, aheadMs } = clock;
  const error = errorMs === undefined ? '' : `, ±${seconds(errorMs)} s`;
  const ahead = aheadMs === undefined || Math.abs(aheadMs) < 1 ? '' : `, ${signed(aheadMs)} s`;
  return {
    level: quality === 'synced' ? undefined : 'warn',
    words: `${QUALITY_WORDS[quality] ?? quality}${error}${ahead}`,
  };
}

export function heardCell({ isSelf, isReached }) {
  if (isSelf) return { level: 'good', words: 'this gateway' };
  return isReached ? { level: 'good', words: 'heard' } : { level: 'bad', words: 'not heard' };
}

export const newestCell = ({ newest }, nowMs) =>
  newest === undefined ? { words: 'nothing' } : { words: `${newest.cursor}, ${ago(nowMs - newest.atUnixMs)} ago` };

const seconds = (ms) => (ms < 10_000 ? (ms / 1_000).toFixed(1) : String(Math.round(ms / 1_000)));
const signed = (ms) => `${ms > 0 ? '+' : '−'}${seconds(Math.abs(ms))}`;
