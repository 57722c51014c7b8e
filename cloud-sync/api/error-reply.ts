import { Type } from '@sinclair/typebox';
import { ERRORS, type ErrorCode, type SparcError } from '@sparc/protocol/errors';

/** The body of every answer that is no success. */
export const ErrorReply = Type.Object(
  {
    code: Type.String(),
    message: Type.String(),
    action: Type.String({ description: 'what a person does about it' }),
    problems: Type.Optional(Type.Array(Type.Unknown(), { description: 'where there are several, each of them' })),
  },
  { additionalProperties: false },
);

/** What is not here is for whoever runs the cloud: 503. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  ERR_API_REQUEST_INVALID: 400,
  ERR_API_BODY_SLOW: 408,
  ERR_API_NOT_FOUND: 404,
  ERR_API_DIRECTIVE_UNKNOWN: 404,
  ERR_API_LOGIN_REFUSED: 401,
  ERR_API_LOGIN_TOO_FAST: 429,
  ERR_API_TOKEN_REFUSED: 401,
  ERR_API_FORBIDDEN: 403,
  ERR_API_STREAMS_MAX: 503,
  ERR_API_INTERNAL: 500,
  ERR_POLICY_INVALID: 422,
  ERR_POLICY_DRAFT_ABSENT: 404,
  ERR_POLICY_DRAFT_STALE: 412,
  ERR_POLICY_REVISION_UNKNOWN: 404,
  ERR_POLICY_REVISION_UNSEEN: 409,
  ERR_POLICY_IMPORT_UNKNOWN: 404,
  ERR_POLICY_IMPORTS_MAX: 409,
  ERR_AUTHORITY_SITE_INVALID: 400,
  ERR_AUTHORITY_SITE_PRESENT: 409,
  ERR_AUTHORITY_ELSEWHERE: 409,
  ERR_AUTHORITY_RESTORED: 409,
  ERR_AUTHORITY_GATEWAY_ELSEWHERE: 409,
  ERR_DATABASE_SITE_UNKNOWN: 404,
  ERR_DATABASE_TEXT_INVALID: 400,
  ERR_DIRECTIVE_INVALID: 400,
  ERR_USER_NAME_TAKEN: 409,
  ERR_USER_LAST_ADMINISTRATOR: 409,
  ERR_USER_UNKNOWN: 404,
  ERR_CLAIM_CODE_MISTYPED: 400,
  ERR_CLAIM_CODE_UNKNOWN: 404,
  ERR_CLAIM_CODE_EXPIRED: 410,
  ERR_CLAIM_CODE_USED: 409,
  ERR_CLAIM_TOO_FAST: 429,
  ERR_CLAIM_GATEWAY_UNKNOWN: 404,
  ERR_IDENTITY_REQUEST_INVALID: 400,
  ERR_MESH_REQUEST_INVALID: 400,
  ERR_MESH_DELEGATION_INVALID: 400,
  ERR_MESH_ROSTER_INVALID: 400,
  ERR_MESH_EXPELLED: 409,
  ERR_MESH_MEMBERS_MAX: 409,
  ERR_MESH_MEMBER_UNKNOWN: 404,
};

export function errorReply({ code, message, details }: SparcError) {
  const { problems } = details as { readonly problems?: unknown };
  return {
    status: STATUS[code] ?? 503,
    body: { code, message, action: ERRORS[code].action, ...(Array.isArray(problems) && { problems }) },
  };
}
