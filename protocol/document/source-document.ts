import type { ErrorCode } from '../errors/index.js';
import type { JsonPath, Problem } from './problem.js';

/** What somebody wrote, and where everything stands in it. */
export interface SourceDocument {
  readonly fileName: string;
  /** Plain data: objects, arrays, strings, numbers, booleans, null. */
  readonly value: unknown;
  /** A problem at the value of `path`, or at the nearest container that exists; `at: 'key'` points at the field's name. */
  problem(code: ErrorCode, path: JsonPath, message: string, options?: ProblemOptions): Problem;
}

export interface ProblemOptions {
  readonly at?: 'key' | 'value';
  readonly suggestion?: string | undefined;
}
