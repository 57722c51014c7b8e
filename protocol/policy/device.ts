import { Type, type Static } from '@sinclair/typebox';
import { DIALECTS, type DialectName } from '../osdp/index.js';
import { closed, Id, Name } from './schema-terms.js';

const DIALECT_NAMES = Object.keys(DIALECTS) as DialectName[];

export const Device = closed({
  id: Id,
  name: Type.Optional(Name),
  bus: Id,
  address: Type.Integer({ minimum: 0, maximum: 126 }),
  secureChannel: Type.Union([Type.Literal('required'), Type.Literal('clear')], { default: 'required' }),
  dialect: Type.Optional(
    Type.Union(
      DIALECT_NAMES.map((name) => Type.Literal(name)),
      { description: 'how it speaks where OSDP stacks disagree; standard where it is not said' },
    ),
  ),
  side: Type.Union([Type.Literal('unsecured'), Type.Literal('secured')], {
    description: 'where the device hangs; a reader on the outer wall is unsecured',
  }),
});
export const Reader = closed({
  id: Id,
  name: Type.Optional(Name),
  device: Id,
  number: Type.Integer({ minimum: 0, maximum: 7, default: 0 }),
});
/** What an input that belongs to no door tells. */
export const INPUT_PURPOSES = ['fireAlarm', 'mainsFailure', 'batteryLow', 'cabinetTamper', 'watchdog'] as const;
export const Input = closed({
  id: Id,
  name: Type.Optional(Name),
  device: Id,
  number: Type.Integer({ minimum: 0, maximum: 63 }),
  activeWhen: Type.Union([Type.Literal('active'), Type.Literal('inactive')], { default: 'active' }),
  debounceMs: Type.Optional(
    Type.Integer({ minimum: 0, maximum: 600_000, description: 'how long a state has to last before it counts' }),
  ),
  purpose: Type.Optional(
    Type.Union(
      INPUT_PURPOSES.map((purpose) => Type.Literal(purpose)),
      { description: 'what its active state means, for an input that belongs to no door' },
    ),
  ),
});
export const Output = closed({
  id: Id,
  name: Type.Optional(Name),
  device: Id,
  number: Type.Integer({ minimum: 0, maximum: 63 }),
});

export type Device = Static<typeof Device>;
export type Reader = Static<typeof Reader>;
export type Input = Static<typeof Input>;
export type Output = Static<typeof Output>;
