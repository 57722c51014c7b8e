import type { EventDescription } from './event-description.js';

/** The gateway itself: its parts, its clock, its policy, its record. */
export const GATEWAY_EVENTS = {
  'gateway.started': {
    severity: 'info',
    meaning: 'The gateway process started: it opened a new epoch, and its API has a new token.',
    detail: { name: 'the name of the gateway', 'buses?': 'of a mesh: the ids of its buses, by spaces' },
  },
  'gateway.stopped': { severity: 'info', meaning: 'The gateway was stopped in order.' },
  'gateway.part_failed': {
    severity: 'warning',
    meaning: 'A part of the gateway ended unexpectedly and is restarted.',
    fields: ['code'],
    detail: { part: 'the part' },
  },
  'journal.gap': {
    severity: 'alarm',
    meaning: 'Events could not be recorded when they happened; how many were refused, come late or are lost is given.',
    fields: ['code?'],
    detail: {
      'refused?': 'how many the disk refused; whoever handed them over knows, and may bring them later',
      'sinceUnixMs?': 'when the first was refused',
      'late?': 'how many follow late',
      'lost?': 'how many are lost for good, or `unknown`',
      'cause?': 'what shows the loss',
    },
  },
  'journal.volatile_grant': {
    severity: 'alarm',
    meaning: 'A grant was released on a volatile record, as the access point says.',
    fields: ['accessPointId', 'doorId', 'credentialId?', 'holderId?'],
  },
  'policy.loaded': {
    severity: 'info',
    meaning: 'A policy revision is in force.',
    detail: { revision: 'the revision' },
  },
  'policy.lost': {
    severity: 'alarm',
    meaning: 'No policy generation is readable; only emergency credentials work.',
    fields: ['code'],
  },
  'policy.rejected': {
    severity: 'alarm',
    meaning: 'A policy is damaged, not authentic or contradicts itself, and is not used; what was in force stays.',
    fields: ['code'],
  },
  'policy.aging': {
    severity: 'warning',
    meaning: 'A part of the time is over for which a policy counts that its authority does not confirm anew.',
    fields: ['accessPointId?'],
    detail: {
      percent: '50 or 80',
      ageMs: 'since the authority confirmed the policy last',
      maxAgeMs: 'what the rule of the access point, or of the site, allows',
      then: 'what follows: `deny`, or `grantAndFlag`',
    },
  },
  'policy.stale': {
    severity: 'alarm',
    meaning: 'The policy is older than the rule of an access point, or of the site, allows; what follows is given.',
    fields: ['accessPointId?'],
    detail: {
      ageMs: 'since the authority confirmed the policy last',
      maxAgeMs: 'what the rule allows',
      then: 'what follows: `deny`, or `grantAndFlag`',
    },
  },
  'clock.stepped': {
    severity: 'warning',
    meaning: 'The wall clock was set; what that is worth is recorded beside it.',
    detail: { stepMs: 'by how much, negative into the past' },
  },
  'clock.synced': { severity: 'notice', meaning: 'A time source confirms the wall clock.' },
  'clock.holdover': {
    severity: 'notice',
    meaning: 'No time source confirms the wall clock any more; it is believed within a bound, for 72 hours.',
    detail: { errorMs: 'the bound now' },
  },
  'clock.site_time': {
    severity: 'notice',
    meaning:
      'The gateway goes by the time of its neighbours, because nobody vouches for its own clock; what it recorded since that was so has its own time, which is off by as much.',
    detail: {
      correctionMs: 'added to the clock of the machine, which is not set',
      'errorMs?': 'the bound of its error; absent: nobody vouches for it, and it only keeps the gateways together',
    },
  },
  'clock.stamps_ahead': {
    severity: 'warning',
    meaning:
      'The stamps of another gateway are more than 240 s ahead of the clock here: they are kept, and not followed. One of the two clocks is wrong. Told once an hour.',
    detail: { gateway: 'its public key', aheadMs: 'by how much' },
  },
  'clock.unsynced': {
    severity: 'warning',
    meaning: 'Nobody has confirmed the wall clock, or not for 72 hours; access points do what they say for that.',
  },
  'clock.distrusted': {
    severity: 'alarm',
    meaning:
      'The wall clock was set against what was known of the time, or is before what has surely passed; access points do what they say for an unknown clock.',
    detail: { 'behindMs?': 'how far it is before what has surely passed' },
  },
  'clock.accepted': {
    severity: 'notice',
    meaning: 'A named person said that the wall clock is right; what has surely passed counts from it anew.',
    detail: { by: 'who' },
  },
  'clock.mark_lost': {
    severity: 'alarm',
    meaning: 'What was known of the clock cannot be read; what has surely passed is known from now on only.',
    fields: ['code'],
  },
} as const satisfies Record<string, EventDescription>;
