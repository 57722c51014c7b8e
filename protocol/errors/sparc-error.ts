import type { ErrorCode } from './registry.js';

/** The one error class of the project: a stable code from the registry, a sentence for people, and data for machines. */
export class SparcError extends Error {
  override readonly name = 'SparcError';

  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly details: Readonly<Record<string, unknown>> = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** True for a SparcError, or for one with the given code. */
export function isSparcError(error: unknown, code?: ErrorCode): error is SparcError {
  return error instanceof SparcError && (code === undefined || error.code === code);
}
