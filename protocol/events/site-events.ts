import type { EventDescription } from './event-description.js';

const INPUT = {
  fields: ['deviceId'],
  detail: { input: 'the input', state: 'what its device says' },
} as const satisfies Partial<EventDescription>;

const RAISE_ID = 'the id of the raise, which releases name';
const RELEASED_IDS = 'the ids of all that were released; absent: all that stood here';

const RAISE = {
  'scope?': 'the areas and doors it is for; absent: the site',
  'directive?': 'the directive behind it',
  'alone?': '`true`: at a gateway that is alone, for itself',
} as const satisfies EventDescription['detail'];

const RELEASE = {
  'within?': 'the areas and doors that a raise must not reach beyond to end; absent: any ends',
  'directive?': 'the directive behind it',
} as const satisfies EventDescription['detail'];

/** The site as a whole: its mode, fire, schedules, and inputs that belong to no door. */
export const SITE_EVENTS = {
  'site.lockdown': {
    severity: 'alarm',
    meaning: 'A named person or a linkage rule locked the site, or a part of it, down.',
    detail: { by: 'who', raise: RAISE_ID, ...RAISE },
  },
  'site.lockdown_ended': {
    severity: 'notice',
    meaning: 'A named person ended a lockdown.',
    fields: ['code?'],
    detail: { by: 'who', 'raises?': RELEASED_IDS, ...RELEASE },
  },
  'site.threat_level': {
    severity: 'warning',
    meaning: 'A named person, or a linkage rule that raised it, changed the threat level.',
    fields: ['code?'],
    detail: {
      by: 'who',
      from: 'the level of the whole site before',
      to: 'the level of the whole site now',
      'raise?': RAISE_ID,
      'level?': 'the level that is raised, beside what stands; absent: what stood before is over',
      'raises?': RELEASED_IDS,
      ...RAISE,
      ...RELEASE,
    },
  },
  'site.released': {
    severity: 'notice',
    meaning: 'An operator released raises that do not stand here: should they come yet, they never act.',
    fields: ['code?'],
    detail: { by: 'who', raises: 'the ids of all that were released', ...RELEASE },
  },
  'site.mode_lost': {
    severity: 'alarm',
    meaning:
      'What was ordered before the start cannot be read, in its file or in the journal. What the journal has of lockdown, fire and threat level follows; till then, the site is in normal mode.',
    fields: ['code'],
  },
  'site.mode_restored': {
    severity: 'notice',
    meaning: 'Lockdown, fire and threat level of before the start were taken from the journal.',
    detail: {
      lockdown: 'whether the site was locked down: `true` or `false`',
      threatLevel: 'the threat level',
      fires: 'how many fire alarms stood',
    },
  },
  'site.mode_unsaved': {
    severity: 'alarm',
    meaning: 'What was ordered is in force, but the disk does not take it: a restart would forget it.',
    fields: ['code'],
  },
  'revocation.applied': {
    severity: 'notice',
    meaning: 'A named person revoked a credential, or a holder with every credential, for good.',
    fields: ['credentialId?', 'holderId?'],
    detail: {
      by: 'who',
      number: 'the number of the revocation at this gateway',
      'unlisted?': '`true`: neither the policy in force nor the list of visitors had that id',
      'directive?': 'the id of the directive that says so',
    },
  },
  'revocation.list_damaged': {
    severity: 'alarm',
    meaning: 'Revocations of before the start cannot be read; what the journal has of them follows.',
    fields: ['code'],
  },
  'revocation.list_restored': {
    severity: 'notice',
    meaning: 'Revocations that the list had lost were taken from the journal.',
    detail: { count: 'how many' },
  },
  'visitor.added': {
    severity: 'notice',
    meaning: 'An operator lets somebody in for a time, by a card that the policy does not have.',
    fields: ['credentialId'],
    detail: {
      by: 'the operator',
      directive: 'the id of the directive',
      from: 'the first instant',
      until: 'the first instant after it',
    },
  },
  'visitor.ended': {
    severity: 'notice',
    meaning:
      'A visitor is not let in any more: the operator had no right to it, as the site authority said meanwhile, or there are too many who stay longer.',
    fields: ['credentialId', 'code'],
    detail: { directive: 'the id of the directive' },
  },
  'visitor.list_lost': {
    severity: 'alarm',
    meaning: 'Visitors of before the start cannot be read; they are not let in.',
    fields: ['code'],
  },
  'fire.alarm': {
    severity: 'alarm',
    meaning: 'A fire alarm became active; doors it concerns release until it is ended.',
    detail: { input: 'the input that tells it', raise: RAISE_ID, ...RAISE },
  },
  'fire.alarm_late': {
    severity: 'warning',
    meaning: 'A fire alarm of another gateway was first heard long after it was given; it releases no door here.',
    detail: { input: 'the input that told it', raise: RAISE_ID },
  },
  'fire.evacuation': {
    severity: 'alarm',
    meaning: 'A named person called an evacuation.',
    detail: { by: 'who', raise: RAISE_ID, ...RAISE },
  },
  'fire.ended': {
    severity: 'notice',
    meaning: 'A named person ended fire and evacuation; doors return to their mode.',
    fields: ['code?'],
    detail: { by: 'who', 'raises?': RELEASED_IDS, ...RELEASE },
  },
  'input.fault': {
    ...INPUT,
    severity: 'alarm',
    meaning: 'The wiring of an input is in fault; it is neither active nor inactive.',
  },
  'input.restored': { ...INPUT, severity: 'notice', meaning: 'The wiring of an input is in order again.' },
  'power.mains_failed': {
    ...INPUT,
    severity: 'alarm',
    topic: 'Door/State/DoorFault',
    value: 'FaultDetected',
    meaning: 'The mains supply failed.',
  },
  'power.mains_restored': {
    ...INPUT,
    severity: 'notice',
    topic: 'Door/State/DoorFault',
    value: 'NotInFault',
    meaning: 'The mains supply is back.',
  },
  'power.battery_low': {
    ...INPUT,
    severity: 'alarm',
    topic: 'Door/State/DoorFault',
    value: 'FaultDetected',
    meaning: 'The battery is low or missing.',
  },
  'power.battery_restored': {
    ...INPUT,
    severity: 'notice',
    topic: 'Door/State/DoorFault',
    value: 'NotInFault',
    meaning: 'The battery is in order again.',
  },
  'cabinet.tamper': {
    ...INPUT,
    severity: 'alarm',
    topic: 'Door/State/DoorTamper',
    value: 'TamperDetected',
    meaning: 'A cabinet was opened.',
  },
  'cabinet.tamper_clear': {
    ...INPUT,
    severity: 'notice',
    topic: 'Door/State/DoorTamper',
    value: 'NotInTamper',
    meaning: 'A cabinet is closed again.',
  },
  'watchdog.alarm': {
    ...INPUT,
    severity: 'alarm',
    meaning: 'A hardware watchdog reports that what it watches stopped.',
  },
  'watchdog.restored': { ...INPUT, severity: 'notice', meaning: 'A hardware watchdog is content again.' },
  'schedule.active': {
    severity: 'info',
    topic: 'Schedule/State/Active',
    value: 'true',
    meaning: 'A schedule opened.',
    detail: {
      schedule: 'the schedule',
      at: 'the instant in site time',
      because: '`boundary`, `policy`, `clock` or `start`',
    },
  },
  'schedule.inactive': {
    severity: 'info',
    topic: 'Schedule/State/Active',
    value: 'false',
    meaning: 'A schedule closed.',
    detail: { schedule: 'the schedule', at: 'the instant in site time', because: '`boundary`, `policy` or `clock`' },
  },
  'schedule.window_skipped': {
    severity: 'notice',
    meaning: 'A window of a schedule stayed empty, because daylight saving skipped it whole.',
    detail: { schedule: 'the schedule', at: 'the instant in site time', date: 'its day', window: 'the window' },
  },
} as const satisfies Record<string, EventDescription>;
