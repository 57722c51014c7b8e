import { Type, type TProperties } from '@sinclair/typebox';

/** Closed object: an unknown field is an error, never ignored. */
export const closed = <T extends TProperties>(properties: T) =>
  Type.Object(properties, { additionalProperties: false });

export const Id = Type.String({
  pattern: '^[a-z0-9][a-z0-9._-]{0,63}$',
  description: 'an id: up to 64 lower-case letters, digits, dots, dashes or underscores, a letter or digit first',
});
export const Name = Type.String({ minLength: 1, maxLength: 128 });
export const DurationMs = (minimum: number, maximum: number) => Type.Integer({ minimum, maximum });

/** One of a few words. */
export const oneOf = <const T extends readonly string[]>(words: T, description?: string) =>
  Type.Union(
    words.map((word: T[number]) => Type.Literal(word)),
    description === undefined ? {} : { description },
  );

/** As many as there are threat levels. */
export const MinimumClearance = Type.Array(Type.Integer({ minimum: 0, maximum: 5 }), {
  minItems: 1,
  maxItems: 6,
  description:
    'the clearance that holders need, by threat level from 0 on; the last one counts for those above it as well',
});
