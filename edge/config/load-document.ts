import { Ajv, type ValidateFunction } from 'ajv';
import type { Static, TSchema } from '@sinclair/typebox';
import { documentError, type Problem, type SourceDocument } from '@sparc/protocol/document';
import type { ErrorCode } from '@sparc/protocol/errors';
import { schemaProblems } from './schema-problems.js';
import { parseSource } from './source-document.js';

export interface LoadOptions {
  /** Code of the error that is thrown, ERR_CONFIG_INVALID by default. */
  readonly code?: ErrorCode;
  /** In UTF-16 code units, 1 Mi by default. */
  readonly lengthMax?: number;
}

/** A document and what its schema says of it. Defaults are filled in. */
export interface CheckedDocument {
  readonly source: SourceDocument;
  readonly problems: readonly Problem[];
}

/** A value that fits its schema, and the document to point into for whatever else is wrong. */
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

/** Parses, and lists where the value breaks its schema. Throws when the text cannot be parsed. */
export function checkDocument(
  schema: TSchema,
  text: string,
  fileName: string,
  { code = 'ERR_CONFIG_INVALID', lengthMax = 1_048_576 }: LoadOptions = {},
): CheckedDocument {
  const source = parseSource(text, fileName, { code, lengthMax });
  const validate = validatorOf(schema);
  const problems = validate(source.value) ? [] : schemaProblems(source, validate.errors ?? [], code);
  return { source, problems };
}

/** Parses and validates YAML or JSON. Throws one SparcError whose `details.problems` are all problems at once. */
export function loadDocument<T extends TSchema>(
  schema: T,
  text: string,
  fileName: string,
  options: LoadOptions = {},
): LoadedDocument<Static<T>> {
  const { source, problems } = checkDocument(schema, text, fileName, options);
  if (problems.length > 0) throw documentError(options.code ?? 'ERR_CONFIG_INVALID', fileName, problems);
  return { value: source.value, source };
}
