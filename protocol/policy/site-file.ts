import { Type, type Static } from '@sinclair/typebox';
import { DIALECTS, type DialectName } from '../osdp/index.js';
import { LinkageRule } from './linkage-rule.js';
import { closed, DurationMs, Id, Name } from './schema-terms.js';

const Hex = Type.String({ pattern: '^([0-9a-fA-F]{2}){1,64}$', description: 'up to 512 bits, right-aligned' });
const ClockTime = Type.String({
  pattern: '^([01]\\d|2[0-3]):[0-5]\\d$|^24:00$',
  description: 'HH:MM in the site zone; 24:00 ends a day',
});
const LocalDate = Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}$', description: 'a date, YYYY-MM-DD' });
const LocalDateOrTime = Type.String({
  pattern: '^\\d{4}-\\d{2}-\\d{2}(T\\d{2}:\\d{2}(:\\d{2})?)?$',
  description: 'site-local date, or date and time; a bare validTo date includes that whole day (ONVIF)',
});

export const WEEKDAYS = ['mo', 'tu', 'we', 'th', 'fr', 'sa', 'su'] as const;
const Weekday = Type.Union(WEEKDAYS.map((day) => Type.Literal(day)));

/** A window whose end is not after its start crosses midnight and belongs to the day it started. */
export const TimeWindow = closed({ from: ClockTime, to: ClockTime });
export const WeeklyWindow = closed({ days: Type.Array(Weekday, { minItems: 1 }), from: ClockTime, to: ClockTime });

export const CardFormatUse = closed({
  format: Type.String(),
  facilityCodes: Type.Optional(Type.Array(Type.Integer({ minimum: 0 }), { minItems: 1 })),
});

const DIALECT_NAMES = Object.keys(DIALECTS) as DialectName[];

export const Device = closed({
  id: Id,
  name: Type.Optional(Name),
  bus: Id,
  address: Type.Integer({ minimum: 0, maximum: 126 }),
  secureChannel: Type.Union([Type.Literal('required'), Type.Literal('clear')], { default: 'required' }),
  dialect: Type.Optional(
    Type.Union(
      DIALECT_NAMES.map((name) => Type.Literal(name)),
      { description: 'how it speaks where OSDP stacks disagree; standard where it is not said' },
    ),
  ),
  side: Type.Union([Type.Literal('unsecured'), Type.Literal('secured')], {
    description: 'where the device hangs; a reader on the outer wall is unsecured',
  }),
});
export const Reader = closed({
  id: Id,
  name: Type.Optional(Name),
  device: Id,
  number: Type.Integer({ minimum: 0, maximum: 7, default: 0 }),
});
/** What an input that belongs to no door tells. */
export const INPUT_PURPOSES = ['fireAlarm', 'mainsFailure', 'batteryLow', 'cabinetTamper', 'watchdog'] as const;
export const Input = closed({
  id: Id,
  name: Type.Optional(Name),
  device: Id,
  number: Type.Integer({ minimum: 0, maximum: 63 }),
  activeWhen: Type.Union([Type.Literal('active'), Type.Literal('inactive')], { default: 'active' }),
  debounceMs: Type.Optional(
    Type.Integer({ minimum: 0, maximum: 600_000, description: 'how long a state has to last before it counts' }),
  ),
  purpose: Type.Optional(
    Type.Union(
      INPUT_PURPOSES.map((purpose) => Type.Literal(purpose)),
      { description: 'what its active state means, for an input that belongs to no door' },
    ),
  ),
});
export const Output = closed({
  id: Id,
  name: Type.Optional(Name),
  device: Id,
  number: Type.Integer({ minimum: 0, maximum: 63 }),
});

/** An area; rules about who is in it count those in the areas within it too. */
export const Area = closed({
  id: Id,
  name: Name,
  within: Type.Optional(Id),
  enabled: Type.Optional(Type.Boolean({ description: 'false: nobody may enter' })),
  antiPassback: Type.Optional(
    closed({
      mode: Type.Union([Type.Literal('hard'), Type.Literal('soft')], { description: 'deny, or grant and flag' }),
      unknown: Type.Union([Type.Literal('failSoft'), Type.Literal('failSecure'), Type.Literal('localOnly')], {
        description: 'where nobody knows for certain: grant and flag, deny, or go by the last that was known here',
      }),
    }),
  ),
  occupancyMax: Type.Optional(Type.Integer({ minimum: 1, maximum: 100_000 })),
  occupancyMin: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 100_000,
      description: 'leaving is denied, or flagged, with fewer others inside',
    }),
  ),
  presenceTimeoutMs: Type.Optional(DurationMs(60_000, 604_800_000)),
  countAnonymousExits: Type.Optional(
    Type.Boolean({ description: 'somebody who leaves by an exit request is one person fewer' }),
  ),
});

/** What scheduled rights are worth while nobody vouches for the clock. */
export const OnUnknownClock = Type.Union(
  [Type.Literal('alwaysOnly'), Type.Literal('denyScheduled'), Type.Literal('ignoreSchedules')],
  {
    description:
      'while the clock is not known: only rights that are always open count; or whoever has a scheduled right here is denied; or schedules are ignored, and the grant is flagged. Default alwaysOnly',
  },
);
export const PolicyStaleness = closed({
  maxAgeMs: Type.Integer({
    minimum: 60_000,
    maximum: 31_536_000_000,
    description: 'how long a policy counts that its authority has not confirmed anew',
  }),
  then: Type.Union([Type.Literal('deny'), Type.Literal('grantAndFlag')]),
});

/** As many as there are threat levels. */
const MinimumClearance = Type.Array(Type.Integer({ minimum: 0, maximum: 5 }), {
  minItems: 1,
  maxItems: 6,
  description:
    'the clearance that holders need, by threat level from 0 on; the last one counts for those above it as well',
});

export const FIRST_CARD_SCOPES = ['day', 'window', 'relock'] as const;
/** Nobody else enters before somebody whose right may `openFirst` has used the door. */
export const FirstCard = closed({
  scope: Type.Union(
    FIRST_CARD_SCOPES.map((scope) => Type.Literal(scope)),
    {
      description:
        'for how long it holds: to the end of the local day; to the end of the window of the schedule, and only while it is open is anybody needed; or until what unlocks the door ends',
    },
  ),
  schedule: Type.Optional(Id),
  unlocks: Type.Optional(
    Type.Boolean({ description: 'the unlockSchedule takes effect only after the first card; default false' }),
  ),
});

/** Times in ms, names as ONVIF Door Control (Timings). */
export const DoorTimings = closed({
  releaseTimeMs: Type.Optional(DurationMs(500, 600_000)),
  openTimeMs: Type.Optional(DurationMs(1_000, 86_400_000)),
  preAlarmTimeMs: Type.Optional(DurationMs(0, 86_400_000)),
  delayTimeBeforeRelockMs: Type.Optional(DurationMs(0, 60_000)),
  relockAfterCloseMs: Type.Optional(DurationMs(0, 60_000)),
  extendedTimeMs: Type.Optional(DurationMs(0, 600_000)),
  bounceFilterMs: Type.Optional(DurationMs(0, 10_000)),
});

export const Door = closed({
  id: Id,
  name: Name,
  lock: closed({
    output: Id,
    type: Type.Union([Type.Literal('failSecure'), Type.Literal('failSafe')], {
      description: 'failSecure: energised to release; failSafe: energised to hold',
    }),
    fireHardwareBreak: Type.Optional(
      Type.Boolean({ description: 'the fire alarm breaks the power of this lock by itself; on record' }),
    ),
  }),
  contact: Type.Optional(
    Type.Union([closed({ input: Id }), Type.Null()], { description: 'its input is active while the door is open' }),
  ),
  exitRequest: Type.Optional(
    closed({
      input: Id,
      releases: Type.Boolean({ default: true }),
      quiet: Type.Optional(Type.Boolean({ description: 'who leaves is not recorded; that nobody could is' })),
      holdsWhileActive: Type.Optional(
        Type.Boolean({ description: 'the lock stays released while it is active; default true' }),
      ),
      ignoreAfterGrantMs: Type.Optional(DurationMs(0, 10_000)),
      ignoreAfterCloseMs: Type.Optional(DurationMs(0, 10_000)),
    }),
  ),
  timings: Type.Optional(DoorTimings),
  heldAlarm: Type.Optional(Type.Boolean()),
  forcedAlarm: Type.Optional(Type.Boolean()),
  /** Schedules: while one is open, its alarm is recorded and not raised. */
  heldAlarmMask: Type.Optional(Id),
  forcedAlarmMask: Type.Optional(Id),
  forcedAlarmLatched: Type.Optional(
    Type.Boolean({ description: 'a forced alarm ends only when a person has acknowledged it; default false' }),
  ),
  grantRestartsHeldTimer: Type.Optional(
    Type.Boolean({ description: 'a grant while the door stands open gives its whole time again; default true' }),
  ),
  interlocks: Type.Optional(
    Type.Array(Id, {
      minItems: 1,
      maxItems: 8,
      description: 'names of airlocks: of the doors that share one, only one is released or open at a time',
    }),
  ),
  unlockSchedule: Type.Optional(Id),
  firstCard: Type.Optional(FirstCard),
  /** Energised while the door may open, for an intrusion panel. */
  shunt: Type.Optional(closed({ output: Id })),
  /** Energised to throw a second bolt in mode `doubleLocked`. */
  doubleLock: Type.Optional(closed({ output: Id })),
  onGatewayLoss: Type.Union([Type.Literal('relock'), Type.Literal('stayUnlocked')], {
    default: 'relock',
    description: 'what becomes of an unlocked door when the gateway dies: the lease ends, or the output stays',
  }),
  fireRelease: Type.Optional(
    Type.Union([Type.Literal('none'), Type.Literal('egress'), Type.Literal('both')], {
      description: 'on fire: nothing; exit readers ask nothing; or the lock is released as well. Default none',
    }),
  ),
  fireAlarms: Type.Optional(
    Type.Array(Id, {
      minItems: 1,
      description: 'inputs that are fire alarms for this door; default: those of its gateway',
    }),
  ),
  acceptUnsecuredSideRelay: Type.Optional(Type.Boolean()),
});

const AUTHENTICATIONS = ['card', 'cardAndPin', 'cardOrPin', 'twoCards'] as const;
const Authentication = Type.Union(
  AUTHENTICATIONS.map((each) => Type.Literal(each)),
  {
    default: 'card',
    description: 'twoCards: two persons enter together, each with a right of their own',
  },
);

export const AccessPoint = closed({
  id: Id,
  name: Name,
  door: Id,
  reader: Id,
  direction: Type.Union([Type.Literal('entry'), Type.Literal('exit')]),
  areaFrom: Type.Optional(Id),
  areaTo: Type.Optional(Id),
  enabled: Type.Optional(Type.Boolean()),
  authentication: Authentication,
  scheduledAuthentication: Type.Optional(
    Type.Array(closed({ schedule: Id, authentication: Authentication }), {
      minItems: 1,
      description: 'asked instead while the schedule is open; the first that is open counts',
    }),
  ),
  toggleWindowMs: Type.Optional(
    Type.Integer({
      minimum: 3_000,
      maximum: 30_000,
      description: 'the same card twice within it toggles the door, for those whose right may `toggle`',
    }),
  ),
  twoPersonWindowMs: Type.Optional(DurationMs(2_000, 30_000)),
  escortWindowMs: Type.Optional(DurationMs(2_000, 30_000)),
  escortRatioMax: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 16, description: 'visitors whom one presentation of an escort lets in' }),
  ),
  hostAuthorisation: Type.Optional(
    closed({
      timeoutMs: DurationMs(500, 5_000),
      fallback: Type.Union([Type.Literal('deny'), Type.Literal('local')], {
        description: 'without an answer in time: deny, or let the gateway decide alone and flag it',
      }),
    }),
  ),
  facilityCodes: Type.Optional(Type.Array(Type.Integer({ minimum: 0 }), { minItems: 1 })),
  reuseDelayMs: Type.Optional(
    Type.Integer({
      minimum: 1_000,
      maximum: 604_800_000,
      description: 'timed anti-passback: the same holder does not pass here again within it',
    }),
  ),
  minimumClearance: Type.Optional(MinimumClearance),
  degradedFacilityCodes: Type.Optional(
    Type.Array(Type.Integer({ minimum: 0 }), {
      minItems: 1,
      description:
        'while no policy is readable, any card of the site with one of these facility codes is granted, and alarms',
    }),
  ),
  onUnknownClock: Type.Optional(OnUnknownClock),
  policyStaleness: Type.Optional(PolicyStaleness),
  countsOnGrant: Type.Optional(
    Type.Boolean({ description: 'a release counts as a passage, where no contact says whether it was used' }),
  ),
  independentEgress: Type.Optional(
    Type.Boolean({ description: 'exit only: another way out is on record, so denials deny' }),
  ),
  onRecordFailure: Type.Union([Type.Literal('deny'), Type.Literal('grantVolatile')], { default: 'deny' }),
  recordTimeoutMs: Type.Optional(DurationMs(100, 10_000)),
  pinTimeoutMs: Type.Optional(DurationMs(2_000, 60_000)),
  pinAttemptsMax: Type.Optional(Type.Integer({ minimum: 1, maximum: 20 })),
  pinLockOutMs: Type.Optional(DurationMs(1_000, 86_400_000)),
});

export const SpecialDayGroup = closed({
  id: Id,
  name: Name,
  days: Type.Array(closed({ date: LocalDate, name: Type.Optional(Name) }), { minItems: 1 }),
});

export const SPECIAL_DAY_MODES = ['replace', 'or', 'and'] as const;
const dayRule = {
  mode: Type.Optional(
    Type.Union(
      SPECIAL_DAY_MODES.map((mode) => Type.Literal(mode)),
      {
        description:
          'replace (also where it is not said): only its own windows; or: those beside the usual ones; and: where both are',
      },
    ),
  ),
  /** Only these hours of the date differ, whatever day their windows began on. Without it, the whole day. */
  during: Type.Optional(TimeWindow),
  windows: Type.Array(TimeWindow, { description: 'empty: closed' }),
};
export const SpecialDay = closed({ group: Id, ...dayRule });
/** One date that differs. */
export const ScheduleException = closed({ date: LocalDate, name: Type.Optional(Name), ...dayRule });

/** Of several rules for one date the first listed has the last word, and exceptions have it over special days. */
export const Schedule = closed({
  id: Id,
  name: Name,
  weekly: Type.Array(WeeklyWindow),
  specialDays: Type.Optional(Type.Array(SpecialDay)),
  exceptions: Type.Optional(Type.Array(ScheduleException)),
  specialDaysCutAtMidnight: Type.Optional(
    Type.Boolean({
      description:
        'rules for a date govern it from midnight to midnight; default false: they govern the windows that begin on it',
    }),
  ),
});

/** What a right to an access point may carry beside entry. */
export const RIGHTS_BESIDE_ENTRY = ['openFirst', 'escort', 'toggle'] as const;
export type RightBesideEntry = (typeof RIGHTS_BESIDE_ENTRY)[number];
export const AccessPolicy = closed({
  accessPoint: Id,
  schedule: Id,
  may: Type.Optional(
    Type.Array(Type.Union(RIGHTS_BESIDE_ENTRY.map((right) => Type.Literal(right))), {
      minItems: 1,
      uniqueItems: true,
      description:
        'be its first card; vouch for holders who need an escort; toggle the door between unlocked and locked',
    }),
  ),
});
export const AccessProfile = closed({ id: Id, name: Name, policies: Type.Array(AccessPolicy) });

export const CredentialHolder = closed({
  id: Id,
  name: Name,
  status: Type.Union([Type.Literal('active'), Type.Literal('suspended')], { default: 'active' }),
  clearance: Type.Optional(
    Type.Integer({ minimum: 0, maximum: 5, description: 'against the `minimumClearance` of access points; default 0' }),
  ),
  escortRequired: Type.Optional(
    Type.Boolean({ description: 'a visitor: enters only with somebody whose right there may escort; default false' }),
  ),
});

export const CREDENTIAL_STATUSES = ['active', 'lost', 'stolen', 'damaged', 'blocked', 'inactive', 'destroyed'] as const;

/** Decoded (`facility` and `number` of a named format) or raw (`bits` and `value`: a CSN, a PKOC key, a GUID …). */
export const CredentialIdentifier = Type.Union([
  closed({
    format: Type.String(),
    facility: Type.Optional(Type.Integer({ minimum: 0 })),
    number: Type.Union([Type.Integer({ minimum: 0 }), Type.String({ pattern: '^\\d{1,24}$' })]),
    issue: Type.Optional(Type.Integer({ minimum: 0 })),
  }),
  closed({ bits: Type.Integer({ minimum: 1, maximum: 512 }), value: Hex }),
]);

export const Credential = closed({
  id: Id,
  holder: Id,
  status: Type.Union(
    CREDENTIAL_STATUSES.map((status) => Type.Literal(status)),
    { default: 'active' },
  ),
  identifiers: Type.Array(CredentialIdentifier, { minItems: 1, maxItems: 8 }),
  validFrom: Type.Optional(LocalDateOrTime),
  validTo: Type.Optional(LocalDateOrTime),
  pin: Type.Optional(
    Type.String({ pattern: '^\\d{4,10}$', description: '4 to 10 digits in quotes; stored only as a keyed hash' }),
  ),
  duressPin: Type.Optional(
    Type.String({
      pattern: '^\\d{4,10}$',
      description: 'typed under duress: grants as the PIN does and raises a silent alarm; kept as the PIN is',
    }),
  ),
  override: Type.Optional(
    Type.Boolean({ description: 'opens access points that are disabled or locked down; each such grant alarms' }),
  ),
  usesMax: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 100_000, description: 'how many passages it is good for; default: no limit' }),
  ),
  extendedTime: Type.Optional(
    Type.Boolean({ description: 'doors stay released and may stay open for their extended time; default false' }),
  ),
  accessProfiles: Type.Array(Id),
});

/** Works under `no_policy` only, at the named access points, where its card alone is enough; it always alarms. */
export const EmergencyCredential = closed({ credential: Id, accessPoints: Type.Array(Id, { minItems: 1 }) });

/**
 * The site file: everything that decides who may enter, in the terms of ONVIF PACS. YAML or JSON.
 * `sparc policy apply FILE` validates it whole and swaps it in as one revision.
 */
export const SiteFile = closed({
  version: Type.Literal(1),
  site: closed({
    id: Id,
    name: Name,
    timeZone: Type.String({ description: 'IANA name' }),
    trustUnsyncedClock: Type.Optional(
      Type.Boolean({ description: 'evaluate schedules on a clock that no time source has confirmed; default false' }),
    ),
    /** Of access points that do not say it themselves. */
    onUnknownClock: Type.Optional(OnUnknownClock),
    policyStaleness: Type.Optional(PolicyStaleness),
    minimumClearance: Type.Optional(MinimumClearance),
  }),
  cardFormats: Type.Array(CardFormatUse, { minItems: 1, description: 'in order of trial' }),
  devices: Type.Array(Device),
  readers: Type.Array(Reader),
  inputs: Type.Array(Input),
  outputs: Type.Array(Output),
  areas: Type.Array(Area),
  doors: Type.Array(Door),
  accessPoints: Type.Array(AccessPoint),
  specialDayGroups: Type.Optional(Type.Array(SpecialDayGroup)),
  schedules: Type.Array(Schedule),
  linkageRules: Type.Optional(Type.Array(LinkageRule, { maxItems: 256 })),
  accessProfiles: Type.Array(AccessProfile),
  credentialHolders: Type.Array(CredentialHolder),
  credentials: Type.Array(Credential),
  emergencyCredentials: Type.Optional(Type.Array(EmergencyCredential, { maxItems: 64 })),
});

export type SiteFile = Static<typeof SiteFile>;
export type Device = Static<typeof Device>;
export type Reader = Static<typeof Reader>;
export type Input = Static<typeof Input>;
export type Output = Static<typeof Output>;
export type Area = Static<typeof Area>;
export type Door = Static<typeof Door>;
export type DoorTimings = Static<typeof DoorTimings>;
export type FirstCard = Static<typeof FirstCard>;
export type AccessPoint = Static<typeof AccessPoint>;
export type OnUnknownClock = Static<typeof OnUnknownClock>;
export type PolicyStaleness = Static<typeof PolicyStaleness>;
export type TimeWindow = Static<typeof TimeWindow>;
export type WeeklyWindow = Static<typeof WeeklyWindow>;
export type SpecialDayGroup = Static<typeof SpecialDayGroup>;
export type SpecialDay = Static<typeof SpecialDay>;
export type ScheduleException = Static<typeof ScheduleException>;
/** How a date differs from the week. */
export type DayRule = Omit<SpecialDay, 'group'>;
export type Schedule = Static<typeof Schedule>;
export type AccessProfile = Static<typeof AccessProfile>;
export type CredentialHolder = Static<typeof CredentialHolder>;
export type CredentialIdentifier = Static<typeof CredentialIdentifier>;
export type Credential = Static<typeof Credential>;
export type EmergencyCredential = Static<typeof EmergencyCredential>;
export type CardFormatUse = Static<typeof CardFormatUse>;
