import type { EventDescription } from './event-description.js';

/** The event that set the rule off is `causeId`; what it was about is repeated. */
const SUBJECT = ['accessPointId?', 'doorId?', 'deviceId?', 'credentialId?', 'holderId?'] as const;
const RULE = { rule: 'the rule' } as const;

/** What linkage rules do. Orders of a rule are recorded as a person's are, `by` being `rule:` and its id. */
export const LINKAGE_EVENTS = {
  'linkage.ran': {
    severity: 'info',
    meaning: 'A linkage rule was set off, and its conditions held.',
    fields: SUBJECT,
    detail: {
      ...RULE,
      because: 'the event, or the input and what it became',
      'chain?':
        'other gateways are to do their part: so many rules, one after the other, led to it. Absent: there is none, or each knows of it by itself',
    },
  },
  'linkage.carried_out': {
    severity: 'info',
    meaning: 'A linkage rule ran at another gateway, and this one does its part.',
    fields: SUBJECT,
    detail: { ...RULE, because: 'the event, or the input and what it became' },
  },
  'linkage.unheard': {
    severity: 'warning',
    meaning:
      'A part of what a linkage rule does is of another gateway, which is not reached or did not say within 3 s that it does it. What opens, pulses or ends by itself it does not do any more after 5 s; an output that is turned on or off and a mode that restricts it makes up for when it hears of them.',
    detail: {
      ...RULE,
      action: 'the output or the door',
      'gateway?': 'which one; absent: none says that it has the bus',
    },
  },
  'linkage.failed': {
    severity: 'warning',
    meaning: 'Something that a linkage rule was to do was not done.',
    fields: [...SUBJECT, 'code?'],
    detail: { ...RULE, why: 'in words' },
  },
  'linkage.suspended': {
    severity: 'alarm',
    meaning: 'A linkage rule tripped a limit, and does nothing for a time.',
    detail: { ...RULE, because: '`rate`: it ran too often; `chain`: rules set each other off', forMs: 'how long' },
  },
  'linkage.resumed': {
    severity: 'notice',
    meaning: 'A linkage rule that had tripped a limit runs again.',
    detail: { ...RULE, missed: 'how often it would have run meanwhile' },
  },
  'linkage.message': {
    severity: 'notice',
    meaning: 'A linkage rule tells something.',
    fields: SUBJECT,
    detail: { ...RULE, text: 'as the site file has it' },
  },
  'linkage.alarm': {
    severity: 'alarm',
    meaning: 'A linkage rule raises an alarm.',
    fields: SUBJECT,
    detail: { ...RULE, text: 'as the site file has it' },
  },
  'output.switched': {
    severity: 'info',
    meaning: 'A linkage rule switched an output, and its device acknowledged that.',
    detail: { ...RULE, output: 'the output', to: '`on`, `off` or `pulse`', 'forMs?': 'length of the pulse' },
  },
  'snapshot.requested': {
    severity: 'info',
    meaning: 'A linkage rule wants a picture of this moment; the video system finds the request in the journal.',
    fields: SUBJECT,
    detail: { ...RULE, camera: 'as the video system has it' },
  },
} as const satisfies Record<string, EventDescription>;
