import type { EventDescription } from './event-description.js';

/** What a decision says of whom; an alarm beside it repeats it without the inputs. */
const SUBJECT = ['accessPointId', 'doorId?', 'credentialId?', 'holderId?'] as const;
const PRESENTATION = [...SUBJECT, 'reason?', 'alsoFailed?', 'flags?', 'card'] as const;
const GRANT = [...SUBJECT, 'flags?', 'card', 'inputs'] as const;
const PENDING = [...SUBJECT, 'reason', 'alsoFailed?', 'card', 'inputs'] as const;
/** What became of it; an operator's release has no access point and no credential. */
const OUTCOME = ['accessPointId?', 'doorId?', 'credentialId?', 'holderId?'] as const;
/** A claim about a holder counts as it is, whatever order the gateways of a site hear it in. */
const CLAIM = {
  'accounts?': 'areas, by spaces, of which one person fewer had left without a card than was counted',
} as const;
/** People at doors: presentations, passages, exits, areas. */
export const ACCESS_EVENTS = {
  'access.granted': {
    severity: 'info',
    topic: 'AccessControl/AccessGranted/Credential',
    meaning: 'A presentation was granted; what became of it follows.',
    fields: GRANT,
  },
  'access.granted.emergency': {
    severity: 'alarm',
    topic: 'AccessControl/AccessGranted/Credential',
    meaning: 'An emergency credential was granted while no policy is readable.',
    fields: GRANT,
  },
  'access.granted.facility': {
    severity: 'alarm',
    topic: 'AccessControl/AccessGranted/Credential',
    meaning: 'A card was granted for its facility code alone, while no policy is readable; whose it is is not known.',
    fields: GRANT,
  },
  'access.denied': {
    severity: 'notice',
    topic: 'AccessControl/Denied/Credential',
    meaning: 'A presentation was denied; the reason is given.',
    fields: [
      'accessPointId?',
      'doorId?',
      'deviceId?',
      'credentialId?',
      'holderId?',
      'reason',
      'alsoFailed?',
      'card?',
      'inputs?',
    ],
    detail: { 'bitCount?': 'how many bits were read, where they are more than any card has' },
  },
  'access.pin_pending': { severity: 'info', meaning: 'A card waits for its PIN.', fields: PENDING },
  'access.second_person_pending': {
    severity: 'info',
    meaning: 'A card waits for that of a second person.',
    fields: PENDING,
  },
  'access.escort_pending': {
    severity: 'info',
    meaning: 'The card of a visitor waits for that of an escort.',
    fields: PENDING,
  },
  'access.host_pending': {
    severity: 'info',
    meaning: 'All checks of the gateway hold, and the host is asked.',
    fields: GRANT,
  },
  'host.unavailable': {
    severity: 'alarm',
    meaning:
      'The host that authorises passages does not answer; what each access point says of that holds until it does.',
    fields: ['accessPointId', 'code'],
  },
  'host.available': { severity: 'notice', meaning: 'The host answers again.', fields: ['accessPointId'] },
  'access.released': {
    severity: 'info',
    meaning: 'The lock of a grant was released.',
    fields: OUTCOME,
    detail: { 'extended?': '`true` where the door gives more time than usual' },
  },
  'access.double_card': {
    severity: 'notice',
    meaning: 'The same card was let through twice within a short time, which toggled the door.',
    fields: OUTCOME,
    detail: { mode: 'what the door is now: unlocked or locked', 'forMs?': 'until the next boundary of its schedule' },
  },
  'access.not_executed': {
    severity: 'warning',
    meaning: 'A recorded grant was certainly not released.',
    fields: [...OUTCOME, 'reason?', 'code?'],
  },
  'access.outcome_unknown': {
    severity: 'warning',
    meaning: 'Whether a recorded grant was released is not known.',
    fields: [...OUTCOME, 'code?'],
  },
  'access.abandoned': { severity: 'warning', meaning: 'A grant became durable only after its limit; nothing moved.' },
  'access.used': {
    severity: 'info',
    topic: 'AccessControl/AccessTaken/Credential',
    meaning: 'The door was opened on a grant.',
    fields: OUTCOME,
  },
  'access.not_used': {
    severity: 'info',
    topic: 'AccessControl/AccessNotTaken/Credential',
    meaning: 'The door was not opened on a grant.',
    fields: OUTCOME,
  },
  'access.unverified': {
    severity: 'info',
    meaning:
      'A grant ended, and nobody can say whether it was used: the door has no contact, or the gateway was not running.',
    fields: OUTCOME,
  },
  'access.duress': {
    severity: 'alarm',
    topic: 'AccessControl/Duress',
    meaning: 'A PIN for duress was typed; the reader shows nothing of it.',
    fields: PRESENTATION,
  },
  'access.override': {
    severity: 'alarm',
    meaning: 'A credential with the override right was granted where the access point is disabled or locked down.',
    fields: PRESENTATION,
  },
  'credential.alarm': {
    severity: 'alarm',
    meaning: 'A lost, stolen or revoked credential was presented.',
    fields: PRESENTATION,
  },
  'credential.locked_out': {
    severity: 'alarm',
    meaning: 'A credential is locked out at a reader after wrong PINs.',
    fields: PRESENTATION,
    detail: { scope: 'this reader, or that wrong PINs came at several readers' },
  },
  'exit.released': {
    severity: 'info',
    topic: 'AccessControl/AccessGranted/Anonymous',
    meaning: 'An exit request released the door.',
    fields: ['doorId'],
  },
  'exit.used': {
    severity: 'info',
    topic: 'AccessControl/AccessTaken/Anonymous',
    meaning: 'The door was opened on an exit request.',
    fields: ['doorId'],
  },
  'exit.not_used': {
    severity: 'info',
    topic: 'AccessControl/AccessNotTaken/Anonymous',
    meaning: 'An exit request was not followed by an opening.',
    fields: ['doorId'],
  },
  'exit.unverified': {
    severity: 'info',
    meaning: 'An exit request ended; the door has no contact.',
    fields: ['doorId'],
  },
  'exit.not_released': {
    severity: 'alarm',
    meaning: 'An exit request could not be executed: no command that releases the lock was acknowledged.',
    fields: ['doorId'],
  },
  'exit.fault': {
    severity: 'alarm',
    meaning: 'The wiring of an exit request is in fault; it neither releases nor shunts.',
    fields: ['doorId'],
    detail: { exitRequest: 'the state of the wiring' },
  },
  'exit.restored': {
    severity: 'notice',
    meaning: 'The wiring of an exit request is in order again.',
    fields: ['doorId'],
  },
  'exit.active_at_start': {
    severity: 'notice',
    meaning: 'An exit request was active when the gateway first saw it; it is no exit.',
    fields: ['doorId'],
  },
  'fire.free_exit': {
    severity: 'notice',
    meaning: 'Somebody left by an exit reader that asks nothing during a fire.',
    fields: ['accessPointId', 'doorId'],
  },
  'area.moved': {
    severity: 'info',
    meaning: 'A holder is in another area now; areas, and whether that is certain, are given.',
    fields: ['holderId', 'accessPointId', 'supersedes?'],
    detail: {
      ...CLAIM,
      'from?': 'the area that was left; absent: from outside of all',
      'to?': 'the area that was entered; absent: outside of all',
      certain: '`true` or `false`',
      'escort?': 'of a visitor: the holder who vouched for them',
    },
  },
  'area.left_anonymously': {
    severity: 'info',
    meaning: 'Somebody left an area without a card, where that counts.',
    fields: ['doorId'],
    detail: { area: 'the area', 'nobody?': '`true`: nobody was known to be in it, so nobody is one fewer' },
  },
  'area.peers_unheard': {
    severity: 'warning',
    meaning:
      'Gateways that have doors of an area are not heard: who is in it is not known, and its rule for that applies.',
    detail: {
      area: 'the area',
      'gateways?': 'their public keys',
      'buses?': 'buses with doors of the area that no gateway is known to have',
    },
  },
  'area.peers_heard': {
    severity: 'notice',
    meaning:
      'All gateways that have doors of an area are heard again. Whoever was last seen before is not held to anti-passback once.',
    detail: { area: 'the area' },
  },
  'area.empty': {
    severity: 'info',
    meaning: 'Nobody is in an area any more, as far as they had a card.',
    detail: { area: 'the area', people: 'how many are in it: 0' },
  },
  'area.occupied': {
    severity: 'info',
    meaning: 'Somebody is in an area that was empty, or there is room again in one that was full.',
    detail: { area: 'the area', people: 'how many are in it' },
  },
  'area.full': {
    severity: 'notice',
    meaning: 'As many people are in an area as it may hold.',
    detail: { area: 'the area', people: 'how many are in it' },
  },
  'area.presence_expired': {
    severity: 'notice',
    meaning: 'A holder was not seen for so long that nobody takes them to be in the area any more.',
    fields: ['holderId', 'supersedes?'],
    detail: { ...CLAIM, 'area?': 'the area; absent: outside of all' },
  },
  'use_limit.changed': {
    severity: 'info',
    meaning: 'A use of a credential was counted against its limit, or a named person let the count begin anew.',
    fields: ['credentialId?', 'accessPointId?'],
    detail: {
      uses: 'how many are counted now',
      'certain?': '`false`: whether it was used is not known, and it counts',
      'by?': 'who let it begin anew; without a credential: for all whose count was not known',
    },
  },
  'use_limit.restated': {
    severity: 'info',
    meaning: 'The counts of uses once more, so that a start need not read further back.',
    detail: {
      part: 'number of this entry among those of one statement, from 1 on',
      counts: 'credentials, each with its count: `card-1=3 card-2=1`',
      'complete?': 'of the last part: whether a credential that no part names was never used, `true` or `false`',
    },
  },
  'use_limit.unknown': {
    severity: 'alarm',
    meaning:
      'A part of the journal was lost, so credentials whose use is limited are denied until a named person lets their count begin anew.',
  },
  'first_card.in': {
    severity: 'notice',
    meaning: 'Somebody who may opened a door first; others may follow.',
    fields: ['doorId', 'accessPointId', 'credentialId', 'holderId'],
    detail: { scope: 'for how long: `day`, `window` or `relock`' },
  },
  'first_card.ended': {
    severity: 'info',
    meaning: 'A door is not unlocked any more, so that somebody who may has to open it first again.',
    fields: ['doorId'],
  },
  'apb.forgiven': {
    severity: 'notice',
    topic: 'Credential/State/ApbViolation',
    value: 'false',
    meaning: 'A named person let a holder begin anew with anti-passback.',
    fields: ['holderId', 'supersedes?'],
    detail: {
      ...CLAIM,
      by: 'who',
      'directive?': 'the id of the directive that says so',
      'upTo?': 'of a directive: milliseconds and counter of the stamp up to which claims do not count any more',
    },
  },
} as const satisfies Record<string, EventDescription>;
