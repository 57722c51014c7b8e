import { Type, type Static } from '@sinclair/typebox';
import { SEVERITIES } from '../events/index.js';
import { DOOR_MODES, type StandingMode } from './door-mode.js';
import { closed, DurationMs, Id, Name, oneOf } from './schema-terms.js';

const STANDING_MODES = DOOR_MODES.filter((mode): mode is StandingMode => mode !== 'accessed');
const ThreatLevel = Type.Integer({ minimum: 0, maximum: 5 });
const Where = Type.Record(Type.String(), Type.String({ maxLength: 128 }), {
  description: 'fields of the event that must be so: door, accessPoint, holder, reason, input …',
});

/** What makes the gateway look at a rule. */
export const LinkageTrigger = Type.Union([
  closed({ event: Type.String({ maxLength: 64 }), where: Type.Optional(Where) }),
  closed({ severity: oneOf(SEVERITIES), where: Type.Optional(Where) }),
  closed({
    input: Id,
    becomes: oneOf(['active', 'inactive', 'fault'], 'with `activeWhen` applied; fault: short, open or fault'),
  }),
  closed({
    schedule: Id,
    becomes: oneOf(['open', 'closed'], 'at its boundary; not at a start or when a clock is set'),
  }),
]);

/** What must hold at that instant. What nobody knows holds in no way. */
export const LinkageCondition = Type.Union([
  closed({ schedule: Id, is: oneOf(['open', 'closed']) }),
  closed({ door: Id, mode: Type.Array(oneOf(STANDING_MODES), { minItems: 1, description: 'one of these' }) }),
  closed({ threatLevel: closed({ from: ThreatLevel, to: Type.Optional(ThreatLevel) }) }),
  closed({ input: Id, is: oneOf(['active', 'inactive', 'fault']) }),
  closed({ area: Id, is: oneOf(['empty', 'occupied', 'full'], 'full: as many as its occupancyMax') }),
]);

const Text = Type.String({ minLength: 1, maxLength: 256 });
/** What the gateway does then. */
export const LinkageAction = Type.Union([
  closed({ output: Id, turn: oneOf(['on', 'off']) }),
  closed({ output: Id, pulseMs: DurationMs(100, 600_000) }),
  closed({ door: Id, access: oneOf(['momentary', 'extended'], 'for one passage, as a person at the desk does') }),
  closed({
    door: Id,
    mode: oneOf([...STANDING_MODES, 'scheduled'], 'until it is ordered otherwise; scheduled ends what a rule ordered'),
    forMs: Type.Optional(DurationMs(1_000, 2_592_000_000)),
  }),
  closed({ raise: oneOf(['lockdown'], 'ended by a named person, never by a rule') }),
  closed({ raiseThreatLevel: Type.Integer({ minimum: 1, maximum: 5, description: 'lowered by a named person only' }) }),
  closed({ message: Text }),
  closed({ alarm: Text }),
  closed({
    snapshot: Type.String({ minLength: 1, maxLength: 64, description: 'the camera, as the video system has it' }),
  }),
]);

/** When any of these, if all of these, then all of these in order. Evaluated in the gateway, with the network gone. */
export const LinkageRule = closed({
  id: Id,
  name: Type.Optional(Name),
  when: Type.Array(LinkageTrigger, { minItems: 1, maxItems: 16 }),
  if: Type.Optional(Type.Array(LinkageCondition, { minItems: 1, maxItems: 16 })),
  then: Type.Array(LinkageAction, { minItems: 1, maxItems: 16 }),
});

export type LinkageTrigger = Static<typeof LinkageTrigger>;
export type LinkageCondition = Static<typeof LinkageCondition>;
export type LinkageAction = Static<typeof LinkageAction>;
export type LinkageRule = Static<typeof LinkageRule>;
