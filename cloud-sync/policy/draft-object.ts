import type { TSchema } from '@sinclair/typebox';
import { TypeCompiler, type TypeCheck } from '@sinclair/typebox/compiler';
import { Value } from '@sinclair/typebox/value';
import { identifierKey } from '@sparc/protocol/card-format';
import { isSparcError, SparcError } from '@sparc/protocol/errors';
import type { Credential } from '@sparc/protocol/policy';
import type { DraftSecrets } from './draft-secrets.js';
import { idOf, schemaOf, type CredentialSecrets, type PolicyKind } from './kinds.js';

/** What is wrong with an object of a draft; never with the value of a secret. */
export interface DraftProblem {
  readonly kind: PolicyKind;
  /** Absent where it says none. */
  readonly id?: string;
  /** As in a site file, within the object: `identifiers[0].number`; empty for the whole of it. */
  readonly path: string;
  readonly message: string;
}

/** An object as it lies in the database. */
export interface StoredObject {
  readonly kind: PolicyKind;
  readonly id: string;
  /** Without what is sealed. */
  readonly body: unknown;
  readonly sealed: Uint8Array | null;
  readonly marks: readonly string[];
}

/** That are named of one object. */
const ERRORS_OF_ONE_MAX = 100;

const compiled = new Map<PolicyKind, TypeCheck<TSchema>>();

function checkOf(kind: PolicyKind): TypeCheck<TSchema> {
  let check = compiled.get(kind);
  if (check === undefined) compiled.set(kind, (check = TypeCompiler.Compile(schemaOf(kind))));
  return check;
}

/**
 * What somebody gives as an object of a draft, checked by itself. What of `before` is sealed stays where nothing is given in
 * its place; a PIN that is null is taken away. Throws `invalidDraft` with every problem.
 */
export function storedObject(
  secrets: DraftSecrets,
  kind: PolicyKind,
  given: unknown,
  before: Pick<StoredObject, 'id' | 'sealed'> | undefined,
): StoredObject {
  const whole: unknown = Value.Default(
    schemaOf(kind),
    kind === 'credentials' ? completed(secrets, given, before) : given,
  );
  const id = idOf(kind, whole);
  const problem = (path: string, message: string): DraftProblem => ({
    kind,
    ...(id !== undefined && { id }),
    path,
    message,
  });
  const check = checkOf(kind);
  if (!check.Check(whole) || id === undefined) {
    throw invalidDraft(firstErrors(check, whole).map(({ path, message }) => problem(pathText(path), message)));
  }
  if (kind !== 'credentials') return { kind, id, body: whole, sealed: null, marks: [] };
  const { identifiers, pin, duressPin, ...body } = whole as Credential;
  const marks = identifiers.map((identifier, index) => {
    try {
      return secrets.mark(identifierKey(identifier));
    } catch (error) {
      if (!isSparcError(error)) throw error;
      throw invalidDraft([problem(`identifiers[${index}]`, error.message)]);
    }
  });
  const text = JSON.stringify({ identifiers, pin, duressPin });
  return { kind, id, body, sealed: secrets.seal(id, text), marks: [...new Set(marks)] };
}

/** A list of a hundred thousand numbers where names belong has as many. */
function firstErrors(check: TypeCheck<TSchema>, value: unknown) {
  const errors = [];
  for (const error of check.Errors(value)) if (errors.push(error) === ERRORS_OF_ONE_MAX) break;
  return errors;
}

/** Throws as `DraftSecrets.open`. */
export const secretsOf = (secrets: DraftSecrets, { id, sealed }: Pick<StoredObject, 'id' | 'sealed'>) =>
  (sealed === null ? {} : JSON.parse(secrets.open(id, sealed))) as Partial<CredentialSecrets>;

/** As the site file has it. */
export const wholeObject = (secrets: DraftSecrets, stored: StoredObject): unknown =>
  stored.kind === 'credentials' ? { ...(stored.body as object), ...secretsOf(secrets, stored) } : stored.body;

function completed(
  secrets: DraftSecrets,
  given: unknown,
  before: Pick<StoredObject, 'id' | 'sealed'> | undefined,
): unknown {
  if (typeof given !== 'object' || given === null || before === undefined) return given;
  const all = { ...secretsOf(secrets, before), ...given } as Record<string, unknown>;
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null));
}

export function invalidDraft(problems: readonly DraftProblem[]): SparcError {
  const lines = problems.map(
    ({ kind, id, path, message }) => `  ${[kind, id, path].filter(Boolean).join(' ')}: ${message}`,
  );
  return new SparcError('ERR_POLICY_INVALID', ['the draft has errors:', ...lines.slice(0, LINES_MAX)].join('\n'), {
    problems,
  });
}

/** Problems of `invalidDraft`; throws any other error. */
export function problemsOf(error: unknown): readonly DraftProblem[] {
  const { code, details } = error as { code?: unknown; details?: { readonly problems?: readonly DraftProblem[] } };
  if (code === 'ERR_POLICY_INVALID' && details?.problems !== undefined) return details.problems;
  throw error;
}

const LINES_MAX = 20;

/** `/identifiers/0/number` as people write it. */
const pathText = (pointer: string): string =>
  pointer
    .slice(1)
    .replaceAll(/\/(\d+)(?=\/|$)/g, '[$1]')
    .replaceAll('/', '.');
