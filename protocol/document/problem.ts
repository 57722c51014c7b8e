import { SparcError, type ErrorCode } from '../errors/index.js';

/** One thing wrong in a document, for the person who wrote it. */
export interface Problem {
  readonly code: ErrorCode;
  /** 1-based. */
  readonly line: number;
  /** 1-based. */
  readonly column: number;
  /** `doors[2].lock.output`; empty for the whole document. */
  readonly path: string;
  /** Plain words; never a secret's value. */
  readonly message: string;
  /** What was probably meant, ready to paste. */
  readonly suggestion?: string;
  /** The field is unknown; whatever else its container says still holds. */
  readonly isUnknownField?: true;
}

export type JsonPath = readonly (string | number)[];

export function pathText(path: JsonPath): string {
  return path.map((step, index) => (typeof step === 'number' ? `[${step}]` : index === 0 ? step : `.${step}`)).join('');
}

export function problemLine(fileName: string, { line, column, path, message, suggestion }: Problem): string {
  const where = `${fileName}:${line}:${column}`;
  const hint = suggestion === undefined ? '' : ` (did you mean \`${suggestion}\`?)`;
  return `${where}: ${path === '' ? '' : `${path}: `}${message}${hint}`;
}

/**
 * The one error of a document: every problem in the order of the lines, in the message and in `details.problems`. Its
 * code is that of its problems where they agree, else `code`.
 */
export function documentError(code: ErrorCode, fileName: string, problems: readonly Problem[]): SparcError {
  const sorted = [...problems].sort((a, b) => a.line - b.line || a.column - b.column);
  const count = sorted.length === 1 ? 'one error' : `${sorted.length} errors`;
  const lines = sorted.map((problem) => `  ${problemLine(fileName, problem)}`);
  const [first] = sorted;
  const agreed = first !== undefined && sorted.every((problem) => problem.code === first.code) ? first.code : code;
  return new SparcError(agreed, [`${fileName} has ${count}:`, ...lines].join('\n'), { fileName, problems: sorted });
}

/** The problems inside an error of `documentError`; empty for any other error. */
export function problemsOf(error: unknown): readonly Problem[] {
  return error instanceof SparcError && Array.isArray(error.details['problems'])
    ? (error.details['problems'] as readonly Problem[])
    : [];
}
