import type { ErrorObject } from 'ajv';
import { nearestName, type JsonPath, type Problem, type SourceDocument } from '@sparc/protocol/document';
import type { ErrorCode } from '@sparc/protocol/errors';

function pathOf(pointer: string, root: unknown): JsonPath {
  const path: (string | number)[] = [];
  let value = root;
  for (const raw of pointer.split('/').slice(1)) {
    const step = raw.replaceAll('~1', '/').replaceAll('~0', '~');
    path.push(Array.isArray(value) ? Number(step) : step);
    value = (value as Record<string, unknown> | undefined)?.[step];
  }
  return path;
}

/**
 * A union fails in each of its branches. Only the branch that the author most probably meant is worth words: the one
 * with the fewest errors at the union itself (wrong kind, missing or unknown field), then the fewest in all.
 */
function withoutOtherBranches(errors: readonly ErrorObject[]): ErrorObject[] {
  let kept = [...errors];
  for (const union of errors.filter(({ keyword }) => keyword === 'anyOf')) {
    const branches = new Map<string, ErrorObject[]>();
    const isInside = (error: ErrorObject) =>
      error !== union &&
      error.schemaPath.startsWith(`${union.schemaPath}/`) &&
      (error.instancePath === union.instancePath || error.instancePath.startsWith(`${union.instancePath}/`));
    for (const error of kept.filter(isInside)) {
      const branch = error.schemaPath.slice(union.schemaPath.length + 1).split('/')[0] ?? '';
      branches.set(branch, [...(branches.get(branch) ?? []), error]);
    }
    const list = [...branches.values()];
    const isChoice = list.every((branch) => branch.every(({ keyword }) => keyword === 'const'));
    kept = kept.filter((error) => !isInside(error) && (isChoice || error !== union));
    if (!isChoice) kept.push(...(list.sort((a, b) => rank(a, union) - rank(b, union))[0] ?? []));
  }
  return kept;
}

function rank(branch: readonly ErrorObject[], union: ErrorObject): number {
  const outer = branch.filter(({ instancePath }) => instancePath === union.instancePath);
  const wrongKind = outer.some(({ keyword }) => keyword === 'type');
  return (wrongKind ? 1_000_000 : 0) + outer.length * 1_000 + branch.length;
}

interface SchemaNode {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, unknown>>;
}

const KINDS: Readonly<Record<string, string>> = {
  object: 'a group of fields',
  array: 'a list',
  string: 'a text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  null: 'null',
};

/** Says in plain words what ajv found, at the line where it stands. */
export function schemaProblems(source: SourceDocument, errors: readonly ErrorObject[], code: ErrorCode): Problem[] {
  return withoutOtherBranches(errors).map((error) => {
    const path = pathOf(error.instancePath, source.value);
    const params = error.params as Record<string, unknown>;
    const schema = (error.parentSchema ?? {}) as SchemaNode;
    switch (error.keyword) {
      case 'additionalProperties': {
        const field = String(params['additionalProperty']);
        const suggestion = nearestName(field, Object.keys(schema.properties ?? {}));
        const problem = source.problem(code, [...path, field], 'is no known field', { at: 'key', suggestion });
        return { ...problem, isUnknownField: true };
      }
      case 'required':
        return source.problem(code, path, `lacks the field \`${String(params['missingProperty'])}\``);
      default:
        return source.problem(code, path, messageOf(error, params, schema));
    }
  });
}

function messageOf(error: ErrorObject, params: Record<string, unknown>, schema: SchemaNode): string {
  switch (error.keyword) {
    case 'type': {
      const kind = String(params['type']);
      // YAML reads `pin: 0123` as a number and `id: no` as a truth value; what was typed is lost by then.
      const isBare = kind === 'string' && (typeof error.data === 'number' || typeof error.data === 'boolean');
      return `must be ${KINDS[kind] ?? kind}${isBare ? ': put it in quotes' : ''}`;
    }
    case 'anyOf': {
      const choices = (error.schema as readonly { const?: unknown }[]).map(({ const: value }) => String(value));
      return `must be one of ${choices.join(', ')}`;
    }
    case 'const':
      return `must be ${JSON.stringify(params['allowedValue'])}`;
    case 'minimum':
    case 'exclusiveMinimum':
      return `must be at least ${String(params['limit'])}`;
    case 'maximum':
    case 'exclusiveMaximum':
      return `must be at most ${String(params['limit'])}`;
    case 'minItems':
      return `must have at least ${String(params['limit'])} entries`;
    case 'maxItems':
      return `must have at most ${String(params['limit'])} entries`;
    case 'minLength':
      return `must have at least ${String(params['limit'])} characters`;
    case 'maxLength':
      return `must have at most ${String(params['limit'])} characters`;
    case 'pattern':
      return schema.description === undefined
        ? `must match ${String(params['pattern'])}`
        : `must be: ${schema.description}`;
    default:
      return error.message ?? `breaks the rule \`${error.keyword}\``;
  }
}
