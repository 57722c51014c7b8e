import { Type, type Static } from '@sinclair/typebox';
import { closed, DurationMs, Id, Name } from './schema-terms.js';

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

export type Door = Static<typeof Door>;
export type DoorTimings = Static<typeof DoorTimings>;
export type FirstCard = Static<typeof FirstCard>;
