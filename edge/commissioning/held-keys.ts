import { Type, type Static } from '@sinclair/typebox';
import { fromHex, toHex } from '../platform/index.js';
import type { HeldKeys } from './key-machine.js';

const Scbk = Type.String({ pattern: '^[0-9a-f]{32}$' });

/** Held keys in a file: hexadecimal, and only ever sealed. */
export const HeldKeysJson = Type.Object(
  { current: Type.Optional(Scbk), next: Type.Optional(Scbk) },
  { additionalProperties: false },
);
export type HeldKeysJson = Static<typeof HeldKeysJson>;

export function heldKeysToJson({ current, next }: HeldKeys): HeldKeysJson {
  return {
    ...(current === undefined ? {} : { current: toHex(current) }),
    ...(next === undefined ? {} : { next: toHex(next) }),
  };
}

export function heldKeysFromJson({ current, next }: HeldKeysJson): HeldKeys {
  return {
    ...(current === undefined ? {} : { current: fromHex(current) }),
    ...(next === undefined ? {} : { next: fromHex(next) }),
  };
}
