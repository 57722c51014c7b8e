import { Type, type Static } from '@sinclair/typebox';
import { AccessPoint, OnUnknownClock, PolicyStaleness } from './access-point.js';
import { Area } from './area.js';
import { Device, Input, Output, Reader } from './device.js';
import { Door } from './door.js';
import { LinkageRule } from './linkage-rule.js';
import { Schedule, SpecialDayGroup } from './schedule.js';
import { closed, Id, MinimumClearance, Name } from './schema-terms.js';

const Hex = Type.String({ pattern: '^([0-9a-fA-F]{2}){1,64}$', description: 'up to 512 bits, right-aligned' });
const LocalDateOrTime = Type.String({
  pattern: '^\\d{4}-\\d{2}-\\d{2}(T\\d{2}:\\d{2}(:\\d{2})?)?$',
  description: 'site-local date, or date and time; a bare validTo date includes that whole day (ONVIF)',
});

export const CardFormatUse = closed({
  format: Type.String(),
  facilityCodes: Type.Optional(Type.Array(Type.Integer({ minimum: 0 }), { minItems: 1 })),
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
export type AccessProfile = Static<typeof AccessProfile>;
export type CredentialHolder = Static<typeof CredentialHolder>;
export type CredentialIdentifier = Static<typeof CredentialIdentifier>;
export type Credential = Static<typeof Credential>;
export type EmergencyCredential = Static<typeof EmergencyCredential>;
export type CardFormatUse = Static<typeof CardFormatUse>;
