import { Type, type Static } from '@sinclair/typebox';
import { MEMBERS_MAX } from '@sparc/protocol/roster';
import { TIME_QUALITIES } from '@sparc/protocol/ports';

/** 2^48: no clock shows a later time. */
const MS_MAX = 281_474_976_710_656;

/** What the site process tells of the clocks of neighbours: `TimesHeard`, and nothing that no clock can show. */
export const TimesTold = Type.Object(
  {
    othersCount: Type.Integer({ minimum: 1, maximum: MEMBERS_MAX - 1 }),
    times: Type.Array(
      Type.Object(
        {
          neighbour: Type.String({ pattern: '^[0-9a-f]{64}$' }),
          offsetMs: Type.Number({ minimum: -MS_MAX, maximum: MS_MAX }),
          quality: Type.Union(TIME_QUALITIES.map((quality) => Type.Literal(quality))),
          errorMs: Type.Number({ minimum: 0, maximum: 2 * MS_MAX }),
        },
        { additionalProperties: false },
      ),
      { maxItems: MEMBERS_MAX - 1 },
    ),
  },
  { additionalProperties: false },
);
export type TimesTold = Static<typeof TimesTold>;
