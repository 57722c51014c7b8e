import { Type, type Static } from '@sinclair/typebox';
import { SignedDirective } from '@sparc/protocol/directive';

/** A directive on its way from the API to the field, which checks it again. */
export const DirectiveRequest = Type.Object(
  { kind: Type.Literal('directive'), directive: SignedDirective },
  { additionalProperties: false },
);
export type DirectiveRequest = Static<typeof DirectiveRequest>;
