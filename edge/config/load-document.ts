import { Ajv, type ValidateFunction } from 'ajv';
import type { Static, TSchema } from '@sinclair/typebox';
import type { ErrorCode } from '@sparc/protocol/errors';
import { documentError } from './problem.js';
import { schemaProblems, type FieldExplanation } from './schema-problems.js';
import { parseSource, type SourceDocument } from './source-document.js';

export interface LoadOptions {
  /** Code of the error that is thrown, ERR_CONFIG_INVALID by default. */
  readonly code?: ErrorCode;
  /** In UTF-16 code units, 1 Mi by default. */
  readonly lengthMax?: number;
  readonly explain?: FieldExplanation;
}

/** A value that fits its schema, defaults filled in, and the document to point into for whatever else is wrong. */
export interface LoadedDocument<T> {
  readonly value: T;
  readonly source: SourceDocument;
}

const ajv = new Ajv({ allErrors: true, useDefaults: true, verbose: true, allowUnionTypes: true });
const compiled = new WeakMap<TSchema, ValidateFunction>();

function validatorOf(schema: TSchema): ValidateFunction {
  let validate = compiled.get(schema);
  if (validate === undefined) compiled.set(schema, (validate = ajv.compile(schema)));
  return validate;
}

/** Parses and validates YAML or JSON. Throws one SparcError whose `details.problems` are all problems at once. */
export function loadDocument<T extends TSchema>(
  schema: T,
  text: string,
  fileName: string,
  { code = 'ERR_CONFIG_INVALID', lengthMax = 1_048_576, explain }: LoadOptions = {},
): LoadedDocument<Static<T>> {
  const source = parseSource(text, fileName, { code, lengthMax });
  const validate = validatorOf(schema);
  if (!validate(source.value)) {
    throw documentError(code, fileName, schemaProblems(source, validate.errors ?? [], code, explain));
  }
  return { value: source.value as Static<T>, source };
}
