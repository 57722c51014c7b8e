import { Type, type Static } from '@sinclair/typebox';
import { closed, DurationMs, Id, MinimumClearance, Name } from './schema-terms.js';

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

export type AccessPoint = Static<typeof AccessPoint>;
export type OnUnknownClock = Static<typeof OnUnknownClock>;
export type PolicyStaleness = Static<typeof PolicyStaleness>;
