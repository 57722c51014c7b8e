import { Type, type Static, type TProperties } from '@sinclair/typebox';
import { OPERATIONS, type Operation, type WindowView } from './operations.js';

const closed = <const K extends string, T extends TProperties>(kind: K, properties: T) =>
  Type.Object({ kind: Type.Literal(kind), ...properties }, { additionalProperties: false });

/** What somebody asks for to open a window. */
export const OpenWindow = Type.Object(
  { operator: Type.String({ minLength: 1, maxLength: 64 }), minutes: Type.Integer({ minimum: 1, maximum: 240 }) },
  { additionalProperties: false },
);

/** What the API carries to the field, and the field checks again: the process between them is not trusted. */
export const CommissioningAction = Type.Union([
  closed('open', { window: OpenWindow }),
  closed('check', {}),
  closed('close', {}),
  closed('run', { operation: Type.Union(Object.values(OPERATIONS)) }),
]);
export type CommissioningAction =
  | { readonly kind: 'open'; readonly window: Static<typeof OpenWindow> }
  /** Whether a code is right, for a page that asks a person for it. */
  | { readonly kind: 'check' }
  | { readonly kind: 'close' }
  | { readonly kind: 'run'; readonly operation: Operation };

/** `code` is shown once, to whoever opened the window. */
export type CommissioningAnswer =
  | { readonly kind: 'opened'; readonly code: string; readonly endsAtUnixMs: number }
  | ({ readonly kind: 'right' } & WindowView)
  | { readonly kind: 'closed' }
  | { readonly kind: 'started'; readonly task: string };
