import { Type, type Static } from '@sinclair/typebox';
import { closed, DurationMs, Id, Name } from './schema-terms.js';

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

export type Area = Static<typeof Area>;
