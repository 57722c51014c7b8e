import { Type, type Static } from '@sinclair/typebox';
import { Id } from '@sparc/protocol/policy';

/** A question of what would be decided, on its way from the link to the cloud to the field. */
export const TrialRequest = Type.Object(
  {
    kind: Type.Literal('trial'),
    trial: Type.Object(
      { accessPoint: Id, credential: Id, atUnixMs: Type.Optional(Type.Integer({ minimum: 0 })) },
      { additionalProperties: false },
    ),
  },
  { additionalProperties: false },
);
export type TrialRequest = Static<typeof TrialRequest>;
