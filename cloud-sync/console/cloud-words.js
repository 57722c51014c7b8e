import { count, listOf } from '../../protocol/page/phrases.js';
import { ago } from '../../protocol/page/times.js';

/** Says in plain words how the gateways of a site and the draft of its policy are. Cells of a table are { level?, words }. */

const DAY_MS = 86_400_000;
const CERTIFICATE_SHORT_DAYS = 14;

const isMember = ({ state }) => state === 'active';

/** The site as a whole, in one sentence. */
export function headlineOf(gateways) {
  const members = gateways.filter(isMember);
  if (members.length === 0) return { level: 'waiting', words: 'No gateway is enrolled yet.' };
  const newest = Math.max(...members.map(({ policy }) => policy?.number ?? 0));
  const applied = members.filter(({ policy }) => newest > 0 && policy?.number === newest);
  const reached = members.filter(({ isReached }) => isReached);
  const all = members.length === 1 ? 'The gateway' : `All ${members.length} gateways`;
  if (reached.length === 0) return { level: 'warn', words: 'No gateway reaches the cloud. Doors go on by themselves.' };
  if (reached.length < members.length) {
    return {
      level: 'warn',
      words: `${reached.length} of ${count(members.length, 'gateway')} reached the cloud just now.`,
    };
  }
  if (newest === 0) return { level: 'waiting', words: `${all} reached the cloud. No policy is applied yet.` };
  return applied.length === members.length
    ? { level: 'good', words: `${all} applied revision ${newest}.` }
    : { level: 'waiting', words: `Revision ${newest} is applied by ${applied.length} of ${members.length} gateways.` };
}

export function stateBadge({ state, isReached }) {
  if (state === 'claimed') return { level: 'waiting', words: 'admitted, not heard yet' };
  return isReached ? { level: 'good', words: 'in touch' } : { level: 'warn', words: 'not in touch' };
}

/** Whose word is old: `Warehouse was not heard for 3 min: what stands there now is not known.`; nothing where all are heard. */
export function unheardWords(gateways, nowMs) {
  const unheard = gateways.filter((one) => isMember(one) && !one.isReached);
  if (unheard.length === 0) return '';
  const names = unheard.map(({ name, lastContactUnixMs: atMs }) =>
    atMs === undefined ? `${name} (never)` : `${name} (for ${ago(nowMs - atMs)})`,
  );
  return `Not heard: ${listOf(names)}. What stands there now is not known.`;
}

/** `; at all gateways`, or where it stands and where not. */
export function standsWords({ standsAt }, gateways) {
  const [stands, not] = [true, false].map((is) =>
    gateways.filter((one) => isMember(one) && standsAt.includes(one.key) === is).map(({ name }) => name),
  );
  return not.length === 0 ? '; at all gateways' : `; at ${listOf(stands)}, not at ${listOf(not)}`;
}

/** Longer ago, it is in the logs of the cloud. */
const REFUSALS_SHOWN_MS = DAY_MS;
const REFUSAL_WORDS = {
  ERR_LINK_NAME_FOREIGN: 'called under another name',
  ERR_LINK_TOPIC_FOREIGN: 'spoke or listened for others',
  ERR_LINK_NOT_ADMITTED: 'called and has no place here',
  ERR_LINK_PACKET_TOO_LONG: 'sent what is too long',
  ERR_LINK_FLOOD: 'said too much',
  ERR_LINK_AUTHOR_FOREIGN: 'carried the ledger of a stranger',
  ERR_LINK_AUTHOR_EXPELLED: 'wrote more after it was expelled',
  ERR_LINK_HEAD_FORGED: 'carried what its author did not sign',
  ERR_LINK_EMPTIED_EARLY: 'carried entries without what they said',
  ERR_LINK_MALFORMED: 'said what nobody understands',
  ERR_LINK_ANSWER_INVALID: 'gave an answer that it did not sign',
};

/** Of each kind that was refused within a day: `spoke or listened for others, 3 times, 5 min ago`. */
export const refusalWords = ({ refusals }, nowMs) =>
  refusals
    .filter(({ lastUnixMs }) => nowMs - lastUnixMs < REFUSALS_SHOWN_MS)
    .map(
      ({ code, count: times, lastUnixMs }) =>
        `${REFUSAL_WORDS[code] ?? code}, ${count(times, 'time')}, ${ago(nowMs - lastUnixMs)} ago`,
    );

/** `hall (expelled; called and has no place here, 2 times, 5 min ago)`. */
export const formerWords = (gateway, nowMs) =>
  `${gateway.name} (${[gateway.state, ...refusalWords(gateway, nowMs)].join('; ')})`;

export function queueCell({ queuedEntryCount }) {
  if (queuedEntryCount === undefined) return { words: 'not known' };
  if (queuedEntryCount === 0) return { words: 'nothing' };
  return { level: 'waiting', words: count(queuedEntryCount, 'entry', 'entries') };
}

/** `3 entries came without what they said`. */
export const emptiedWords = ({ emptiedCount }) =>
  emptiedCount === undefined ? [] : [`${count(emptiedCount, 'entry', 'entries')} came without what they said`];

export const contactCell = ({ lastContactUnixMs }, nowMs) => ({
  words: lastContactUnixMs === undefined ? 'never' : `${ago(nowMs - lastContactUnixMs)} ago`,
});

export function certificateCell({ certificateEndsUnixMs }, nowMs) {
  if (certificateEndsUnixMs === undefined) return { words: 'none' };
  const days = Math.floor((certificateEndsUnixMs - nowMs) / DAY_MS);
  if (days < 0) return { level: 'bad', words: 'has ended' };
  return { ...(days < CERTIFICATE_SHORT_DAYS && { level: 'warn' }), words: `ends in ${count(days, 'day')}` };
}

/** `1 change is saved and not published`. */
export function draftWords({ counts, isUnseen, since }) {
  if (isUnseen) {
    return {
      count: 1,
      level: 'warn',
      words: `Revision ${since} came back after a restore. How the draft differs from it is not known here.`,
    };
  }
  const changes = Object.values(counts).reduce(
    (sum, { added, changed, removed }) => sum + added + changed + removed,
    0,
  );
  return {
    count: changes,
    level: changes === 0 ? 'good' : 'waiting',
    words:
      changes === 0
        ? 'Everything that is saved is published.'
        : `${count(changes, 'change')} ${changes === 1 ? 'is' : 'are'} saved and not published: no gateway knows of ${changes === 1 ? 'it' : 'them'}.`,
  };
}

/** Of kinds of objects, one of each. */
export const KIND_WORDS = {
  site: 'Site',
  cardFormats: 'Card formats',
  devices: 'Device',
  readers: 'Reader',
  inputs: 'Input',
  outputs: 'Output',
  areas: 'Area',
  doors: 'Door',
  accessPoints: 'Access point',
  specialDayGroups: 'Special days',
  schedules: 'Schedule',
  linkageRules: 'Rule',
  absorbedDirectives: 'Revocation of',
  accessProfiles: 'Access profile',
  credentialHolders: 'Person',
  credentials: 'Card',
  emergencyCredentials: 'Emergency card',
};
export const CHANGE_WORDS = { added: 'added', changed: 'changed', removed: 'removed' };
export const CHANGE_LEVELS = { added: 'good', changed: 'waiting', removed: 'bad' };

/** Who has applied a revision: of those that it is for. */
export function appliedWords({ number, onlyFor }, gateways) {
  const concerned = gateways.filter((one) => isMember(one) && (onlyFor === undefined || onlyFor.includes(one.key)));
  const applied = concerned.filter(({ policy }) => policy?.number === number);
  const names = (list) => list.map(({ name }) => name).join(', ');
  if (applied.length === 0) return undefined;
  const waiting = concerned.filter(({ policy }) => (policy?.number ?? 0) < number);
  return `Applied by ${names(applied)}${waiting.length === 0 ? '' : `; not yet by ${names(waiting)}`}.`;
}
