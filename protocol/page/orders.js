import { ask, checkField, numberField, selectField, textField } from './dialogs.js';
import { DOOR_MODE_WORDS, raiseWords } from './directive-words.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const ID = { pattern: '[a-z0-9][a-z0-9._\\-]{0,63}', autocapitalize: 'none', maxlength: '64' };
const VISITS = [
  [HOUR_MS, '1 hour'],
  [4 * HOUR_MS, '4 hours'],
  [10 * HOUR_MS, '10 hours'],
  [24 * HOUR_MS, '1 day'],
  [7 * 24 * HOUR_MS, '1 week'],
];
const DOOR_ORDERS = [
  ['accessDoor', 'Let one person through'],
  ['unlocked', 'Unlock for 10 minutes'],
  ['locked', 'Lock'],
  ['blocked', 'Block: no card opens it'],
  ['releaseDoor', 'Back to normal'],
];
/** As many as a directive takes (LIMITS.md). */
const HEADS_MAX = 4;
const RAISES_NAMED_MAX = 32;

const idsOf = (raises) => raises.slice(0, RAISES_NAMED_MAX).map(({ id }) => id);
const optionsOf = (places) => places.map(({ id, name }) => [id, name]);

/**
 * What the buttons of a page do: ask what is to be known, say what it means, and resolve with the content of a directive;
 * undefined where the person thought better of it. `model()` is what is shown: `{ places, raises, others }`, where `others`
 * are the gateways that can be expelled, `{ key, name, heads }`.
 */
export function createOrders(model) {
  return [
    { kind: 'raise', words: 'Lock down…', level: 'danger', ask: () => askLockdown(model()) },
    { kind: 'raise', words: 'Threat level…', ask: () => askThreat(model()) },
    { kind: 'raise', words: 'Evacuate…', ask: askEvacuation },
    { kind: 'door', words: 'Door…', ask: () => askDoor(model()) },
    { kind: 'revoke', words: 'Revoke…', ask: askRevocation },
    { kind: 'visitor', words: 'Let a visitor in…', ask: () => askVisitor(model()) },
    { kind: 'forgive', words: 'Forgive…', ask: askForgiveness },
    { kind: 'expel', words: 'Expel a gateway…', level: 'danger', ask: () => askExpulsion(model()) },
  ];
}

/** Ends what stands. */
export async function askRelease(raises, { places }) {
  const answer = await ask({
    title: raises.length === 1 ? `End: ${raiseWords(raises[0], places)}?` : `End all ${raises.length} orders?`,
    text: 'It ends on every gateway that hears of it. What was raised elsewhere and is not heard here yet goes on.',
    go: 'End it',
  });
  return answer && { kind: 'release', raises: idsOf(raises) };
}

async function askLockdown({ places }) {
  const answer = await ask({
    title: 'Lock down?',
    text: 'Cards open nothing where it holds, but those that may override it; the way out stays free. It holds until it is released.',
    fields: [
      places.areas.length === 0
        ? []
        : checkField(
            'scope',
            'Only these areas; none: the whole site',
            places.areas.map(({ id, name }) => ({ value: id, words: name })),
          ),
    ],
    go: 'Lock down',
    level: 'danger',
  });
  if (answer === undefined) return undefined;
  return { kind: 'raise', what: 'lockdown', ...(answer.scope === undefined ? {} : { scope: answer.scope }) };
}

async function askThreat({ raises }) {
  const standing = raises.filter(({ what }) => what === 'threat');
  const answer = await ask({
    title: 'Set the threat level',
    text: 'It takes the place of the level that stands. The highest level that anybody set counts.',
    fields: [numberField('level', 'Level', { min: 1, max: 5, value: 1 })],
    go: 'Set it',
  });
  if (answer === undefined) return undefined;
  const instead = idsOf(standing);
  return {
    kind: 'raise',
    what: 'threat',
    level: Number(answer.level[0]),
    ...(instead.length === 0 ? {} : { instead }),
  };
}

async function askEvacuation() {
  const answer = await ask({
    title: 'Evacuate the site?',
    text: 'Every door that is let go in a fire opens, on every gateway. It holds until it is released.',
    go: 'Evacuate',
    level: 'danger',
  });
  return answer && { kind: 'raise', what: 'evacuation' };
}

async function askDoor({ places }) {
  const answer = await ask({
    title: 'Order a door',
    text: 'The gateway of the door carries it out, if it hears of it within ten seconds.',
    fields: [selectField('door', 'Door', optionsOf(places.doors)), selectField('order', 'What', DOOR_ORDERS)],
    go: 'Do it',
  });
  if (answer === undefined) return undefined;
  return { kind: 'door', door: answer.door[0], order: doorOrder(answer.order[0]) };
}

function doorOrder(chosen) {
  if (DOOR_MODE_WORDS[chosen] === undefined) return { kind: chosen };
  return { kind: 'door', mode: chosen, ...(chosen === 'unlocked' ? { forMs: 10 * MINUTE_MS } : {}) };
}

async function askRevocation() {
  const answer = await ask({
    title: 'Revoke',
    text: 'It opens nothing from then on, for good: nothing but a new credential ends a revocation.',
    fields: [
      selectField('subject', 'What', [
        ['credential', 'One credential'],
        ['holder', 'A person with all credentials'],
      ]),
      textField('subjectId', 'Id in the policy', ID),
    ],
    go: 'Revoke',
    level: 'danger',
  });
  return answer && { kind: 'revoke', subject: answer.subject[0], subjectId: answer.subjectId[0] };
}

async function askVisitor({ places }) {
  const answer = await ask({
    title: 'Let a visitor in',
    text: 'A card that the policy does not know opens what the chosen profiles allow, and ends by itself.',
    fields: [
      textField('name', 'Name', { maxlength: '128' }),
      selectField(
        'format',
        'Format of the card',
        places.cardFormats.map((id) => [id, id]),
      ),
      textField('facility', 'Facility code, where the format has one', {
        required: false,
        inputmode: 'numeric',
        pattern: '\\d{1,9}',
      }),
      textField('number', 'Number of the card', { inputmode: 'numeric', pattern: '\\d{1,24}' }),
      checkField(
        'profiles',
        'Profiles',
        places.profiles.map(({ id, name }) => ({ value: id, words: name })),
      ),
      selectField('lasts', 'For', VISITS, { chosen: 4 * HOUR_MS }),
    ],
    go: 'Let them in',
  });
  if (answer === undefined) return undefined;
  const fromUnixMs = Date.now();
  const [facility] = answer.facility;
  return {
    kind: 'visitor',
    visitor: {
      id: `visitor-${randomId()}`,
      name: answer.name[0],
      identifier: {
        format: answer.format?.[0] ?? '',
        ...(facility === '' ? {} : { facility: Number(facility) }),
        number: answer.number[0],
      },
      profiles: answer.profiles ?? [],
      fromUnixMs,
      untilUnixMs: fromUnixMs + Number(answer.lasts[0]),
    },
  };
}

async function askForgiveness() {
  const answer = await ask({
    title: 'Forgive',
    text: 'Where the person is, is forgotten: anti-passback lets them pass once, wherever they are.',
    fields: [textField('holder', 'Id of the person in the policy', ID)],
    go: 'Forgive',
  });
  return answer && { kind: 'forgive', holder: answer.holder[0] };
}

async function askExpulsion({ others }) {
  const answer = await ask({
    title: 'Expel a gateway?',
    text: [
      'For one that was stolen, or that lies. Nobody speaks to it again, and of its ledger counts what this gateway has of it now.',
      'Only the authority of the site brings it back, by enrolling it anew.',
    ],
    fields: [
      selectField(
        'gateway',
        'Gateway',
        others.map(({ key, name }) => [key, name]),
      ),
    ],
    go: 'Expel it',
    level: 'danger',
  });
  if (answer?.gateway === undefined) return undefined;
  const [gateway] = answer.gateway;
  const heads = others.find(({ key }) => key === gateway)?.heads ?? [];
  return { kind: 'expel', gateway, heads: heads.slice(0, HEADS_MAX).map((head) => JSON.stringify(head)) };
}

/** 16 bytes in hex. */
const randomId = () =>
  [...window.crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
