import { count, listOf } from './phrases.js';

/** Says in plain words what was directed for a site, what stands, and how far each gateway is. */

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

export const scopeWords = (scope, places) =>
  scope.length === 0 ? 'the whole site' : scope.map((id) => placeName(id, places)).join(', ');

/** `Ada may revoke and lock down and release for the whole site, until 1 May`. `until`: an instant in words. */
export const mayWords = (name, { rights, scope }, places, until) =>
  `${name} may ${listOf(rights.map((right) => RIGHT_WORDS[right] ?? right))} for ${scopeWords(scope, places)}, until ${until}`;

/** How whoever holds the key of a site's authority gives a key its rights, and brings that to the site. */
export const delegateCommands = (key, name, rights) => ({
  delegate: [
    `sparc authority delegate ${key} --name ${name} --right ${rights.join(' ')} --for 30d --dir FOLDER`,
    'sparc authority publish FILE --dir FOLDER',
  ],
  bring: ['sparc ledger import FILE'],
});

/** What a directive says. `gatewayName`: of a public key. */
export function directiveWords({ kind, detail }, places, gatewayName) {
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
      return `Expulsion of ${gatewayName(detail.gateway)}`;
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

/** `Ada`, or `cloud for ada` where a service directs for its users. */
export function operatorWords({ key, name }, onBehalfOf) {
  const operator = name ?? `${key.slice(0, KEY_START)}…`;
  return onBehalfOf === undefined ? operator : `${operator} for ${onBehalfOf}`;
}

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
