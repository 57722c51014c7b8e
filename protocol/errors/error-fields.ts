import { isSparcError } from './sparc-error.js';

/** Of an error, for a log: operating errors are told by their code; anything else is a defect and keeps its trace. */
export function errorFields(error: unknown): object {
  if (isSparcError(error)) return { code: error.code, message: error.message };
  return error instanceof Error ? { message: error.message, stack: error.stack } : { message: String(error) };
}
