import { ERRORS, SparcError, type ErrorCode } from '@sparc/protocol/errors';

/** The body of every answer that is no success. */
export interface ErrorReply {
  readonly code: ErrorCode;
  readonly message: string;
  /** What a person does about it. */
  readonly action: string;
}

const STATUS: Partial<Record<ErrorCode, number>> = {
  ERR_API_REQUEST_INVALID: 400,
  ERR_API_HOST_REFUSED: 403,
  ERR_API_NOT_FOUND: 404,
  ERR_API_DIRECTIVE_UNKNOWN: 404,
  ERR_API_STARTING: 503,
  ERR_API_FIELD_SILENT: 503,
  ERR_API_STREAMS_MAX: 503,
  ERR_API_INTERNAL: 500,
  ERR_GATEWAY_ORDER_REFUSED: 409,
  ERR_MESH_NOT_A_MEMBER: 409,
  ERR_DIRECTIVE_INVALID: 400,
  ERR_DIRECTIVE_OTHER_SITE: 409,
  ERR_DIRECTIVE_EXPIRED: 409,
  ERR_DIRECTIVE_OPERATOR_UNKNOWN: 403,
  ERR_DIRECTIVE_NOT_ENTITLED: 403,
  ERR_DIRECTIVE_TOO_FAST: 429,
  ERR_GATEWAY_KEY_REQUIRED: 409,
  ERR_COMMISSIONING_TOKEN_REFUSED: 401,
  ERR_COMMISSIONING_CODE_REFUSED: 401,
  ERR_COMMISSIONING_GUESSES_MAX: 429,
  ERR_COMMISSIONING_WINDOW_OPEN: 409,
  ERR_COMMISSIONING_WINDOW_CLOSED: 409,
  ERR_COMMISSIONING_BUSY: 409,
  ERR_COMMISSIONING_BUS_UNKNOWN: 404,
  ERR_COMMISSIONING_DEVICE_UNKNOWN: 404,
  ERR_COMMISSIONING_TASK_UNKNOWN: 404,
  ERR_COMMISSIONING_DEVICE_CLEAR: 409,
  ERR_COMMISSIONING_DEVICE_SILENT: 409,
  ERR_COMMISSIONING_RATE_UNKNOWN: 409,
};

/** Errors of the framework carry an HTTP status; any other error is a defect, whose text stays in the log. */
export function asApiError(error: unknown): SparcError {
  if (error instanceof SparcError) return error;
  const { statusCode, message } = error as { readonly statusCode?: number; readonly message: string };
  return statusCode !== undefined && statusCode < 500
    ? new SparcError('ERR_API_REQUEST_INVALID', message, {}, { cause: error })
    : new SparcError('ERR_API_INTERNAL', 'the request failed by a defect of the API', {}, { cause: error });
}

export function errorReply({ code, message }: SparcError): { readonly status: number; readonly body: ErrorReply } {
  return { status: STATUS[code] ?? 503, body: { code, message, action: ERRORS[code].action } };
}
