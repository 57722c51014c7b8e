import type { EventDescription } from './event-description.js';

/** The gateway itself: its parts, its clock, its policy, its record. */
export const GATEWAY_EVENTS = {
  'gateway.started': {
    severity: 'info',
    meaning: 'The gateway process started and opened a new epoch.',
    detail: { name: 'the name of the gateway' },
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
    meaning: 'A policy generation is damaged or not authentic and is not used.',
    fields: ['code'],
  },
  'clock.stepped': {
    severity: 'warning',
    meaning: 'Wall time stepped against monotonic time.',
    detail: { stepMs: 'by how much, negative into the past' },
  },
} as const satisfies Record<string, EventDescription>;
