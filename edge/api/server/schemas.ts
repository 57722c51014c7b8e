import { Type, type TProperties } from '@sinclair/typebox';
import { PolicyLaneView } from '../mesh-view.js';
import { CURSOR_PATTERN } from '../site-event.js';

const closed = <T extends TProperties>(properties: T) => Type.Object(properties, { additionalProperties: false });
const optional = { text: Type.Optional(Type.String()), number: Type.Optional(Type.Integer()) };
const texts = Type.Array(Type.String());
const instant = Type.Integer({ description: 'milliseconds since 1970-01-01T00:00Z' });

export const siteSchema = closed({
  site: Type.Optional(closed({ id: Type.String(), name: Type.String(), timeZone: Type.String() })),
  gateway: closed({ name: Type.String(), startedAtUnixMs: instant, publicKey: Type.String() }),
  policy: Type.Optional(closed({ revision: Type.String(), appliedAtUnixMs: instant, confirmedAtUnixMs: instant })),
  policyLane: Type.Pick(PolicyLaneView, ['inForce', 'rejected']),
  clock: closed({ quality: Type.String(), errorMs: optional.number, aheadMs: optional.number }),
  revocation: closed({ number: Type.Integer(), appliedAtUnixMs: Type.Optional(instant) }),
  mode: closed({
    lockdown: Type.Boolean(),
    threatLevel: Type.Integer(),
    fires: texts,
    raises: Type.Array(
      closed({
        id: Type.String(),
        what: Type.String(),
        by: Type.String(),
        atUnixMs: instant,
        level: optional.number,
        scope: Type.Optional(texts),
        input: optional.text,
        gateway: optional.text,
      }),
    ),
  }),
  doors: Type.Array(
    closed({
      id: Type.String(),
      name: Type.String(),
      mode: Type.String(),
      orderedUntilUnixMs: Type.Optional(instant),
      physical: Type.String(),
      alarm: Type.String(),
      warnings: texts,
    }),
  ),
  readers: Type.Array(
    closed({
      id: Type.String(),
      name: Type.String(),
      deviceId: Type.String(),
      accessPointId: Type.String(),
      direction: Type.String(),
      doorId: Type.String(),
      link: Type.String(),
      secure: Type.Boolean(),
      tampered: Type.Boolean(),
      indication: optional.text,
      reason: optional.text,
    }),
  ),
  buses: Type.Array(
    closed({
      id: Type.String(),
      up: Type.Boolean(),
      error: Type.Optional(closed({ code: Type.String(), message: Type.String() })),
    }),
  ),
  journal: closed({ healthy: Type.Boolean(), lastEntry: optional.text }),
  suspendedRules: texts,
  unread: texts,
  lateRecordsCount: Type.Integer(),
  simulatorUrl: optional.text,
  droppedCount: Type.Integer(),
});

const eventSchema = closed({
  cursor: Type.String(),
  atUnixMs: instant,
  timeQuality: Type.String(),
  name: Type.String(),
  severity: Type.String(),
  accessPointId: optional.text,
  doorId: optional.text,
  deviceId: optional.text,
  busId: optional.text,
  credentialId: optional.text,
  holderId: optional.text,
  holderName: optional.text,
  reason: optional.text,
  alsoFailed: Type.Optional(texts),
  flags: Type.Optional(texts),
  card: Type.Optional(
    closed({
      bitCount: Type.Integer(),
      formatId: optional.text,
      facility: optional.number,
      cardNumber: optional.text,
    }),
  ),
  cause: optional.text,
  code: optional.text,
  detail: Type.Optional(Type.Record(Type.String(), Type.String())),
});

export const eventsSchema = closed({ events: Type.Array(eventSchema, { description: 'oldest first' }) });

const cursor = Type.String({ pattern: CURSOR_PATTERN });
export const eventsQuerySchema = Type.Object(
  {
    limit: Type.Integer({ minimum: 1, maximum: 500, default: 100 }),
    after: Type.Optional(cursor),
    before: Type.Optional(cursor),
  },
  { additionalProperties: false, not: { required: ['after', 'before'] } },
);

export const catalogueSchema = closed({
  errors: Type.Record(Type.String(), closed({ meaning: Type.String(), action: Type.String() })),
  events: Type.Record(
    Type.String(),
    closed({
      severity: Type.String(),
      meaning: Type.String(),
      topic: Type.Optional(Type.String()),
      value: Type.Optional(Type.String()),
      fields: Type.Optional(Type.Array(Type.String())),
      detail: Type.Optional(Type.Record(Type.String(), Type.String())),
    }),
  ),
  reasons: Type.Record(Type.String(), Type.String()),
});

export const healthSchema = closed({ status: Type.Literal('ok') });
export const errorSchema = closed({ code: Type.String(), message: Type.String(), action: Type.String() });
