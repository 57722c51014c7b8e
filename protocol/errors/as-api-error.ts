import { SparcError } from './sparc-error.js';

/** Errors of an HTTP framework carry a status; any other error is a defect, whose text stays in the log. */
export function asApiError(error: unknown): SparcError {
  if (error instanceof SparcError) return error;
  const { statusCode, message } = error as { readonly statusCode?: number; readonly message: string };
  return statusCode !== undefined && statusCode < 500
    ? new SparcError('ERR_API_REQUEST_INVALID', message, {}, { cause: error })
    : new SparcError('ERR_API_INTERNAL', 'the request failed by a defect of the API', {}, { cause: error });
}
