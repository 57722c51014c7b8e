import { TypeCompiler, type TypeCheck } from '@sinclair/typebox/compiler';
import type { TSchema } from '@sinclair/typebox';
import { SparcError } from '../errors/index.js';

/** Makes the error for content that is no policy, of whoever is to blame for it. */
export type Refuse = (why: string, cause?: unknown) => SparcError;

/** The policy that is to be signed is wrong. */
export const invalidPolicy: Refuse = (why, cause) => new SparcError('ERR_POLICY_INVALID', why, {}, { cause });
/** A revision that was signed is. */
export const invalidRevision: Refuse = (why, cause) =>
  new SparcError('ERR_POLICY_REVISION_INVALID', why, {}, { cause });

const compiled = new Map<TSchema, TypeCheck<TSchema>>();

/** `where`: the list that the record is of. Throws what `refuse` makes. */
export function assertRecord(schema: TSchema, record: unknown, where: string, refuse: Refuse): void {
  let check = compiled.get(schema);
  if (check === undefined) compiled.set(schema, (check = TypeCompiler.Compile(schema)));
  if (check.Check(record)) return;
  const id: unknown = (record as { readonly id?: unknown } | null | undefined)?.id;
  throw refuse(`${typeof id === 'string' ? JSON.stringify(id.slice(0, 64)) : 'a record'} is none of ${where}`);
}

/** Throws ERR_POLICY_REVISION_INVALID. */
export function parsedLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw invalidRevision('a line is no JSON', cause);
  }
}
