import { ERRORS, SparcError } from '@sparc/protocol/errors';

/** How `sparc-cloud` ends, as `sparc` does. */
export const EXIT = { ok: 0, checkFailed: 1, badInput: 2, operating: 3, internal: 4 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export function exitCodeOf({ code }: SparcError): ExitCode {
  switch (code) {
    case 'ERR_CLI_INTERNAL':
      return EXIT.internal;
    case 'ERR_DATABASE_BACKUP_DAMAGED':
    case 'ERR_DATABASE_BACKUP_DIFFERS':
      return EXIT.checkFailed;
    case 'ERR_CLAIM_GATEWAY_UNKNOWN':
    case 'ERR_CLI_READ_FAILED':
    case 'ERR_CLI_USAGE':
    case 'ERR_CONFIG_INVALID':
    case 'ERR_CONFIG_UNREADABLE':
    case 'ERR_DATABASE_BACKUP_KIND':
    case 'ERR_COURIER_DAMAGED':
    case 'ERR_COURIER_MAKER_UNKNOWN':
    case 'ERR_COURIER_OTHER_SITE':
    case 'ERR_AUTHORITY_SITE_INVALID':
    case 'ERR_AUTHORITY_SITE_PRESENT':
    case 'ERR_DATABASE_SITE_UNKNOWN':
    case 'ERR_POLICY_INVALID':
    case 'ERR_DATABASE_TENANT_UNKNOWN':
    case 'ERR_IDENTITY_REQUEST_INVALID':
    case 'ERR_MESH_MEMBER_UNKNOWN':
    case 'ERR_MESH_REQUEST_INVALID':
    case 'ERR_MESH_ROSTER_INVALID':
      return EXIT.badInput;
    default:
      return EXIT.operating;
  }
}

/** The code, what it means, what happened, what to do; or the same as JSON. */
export function errorText({ code, message, details }: SparcError, isJson: boolean): string {
  const { meaning, action } = ERRORS[code];
  if (isJson) return JSON.stringify({ code, message, action, details }, null, 2);
  const lines = message.split('\n').map((line) => `  ${line}`);
  return [`sparc-cloud: ${code}: ${meaning}`, ...lines, `  What to do: ${action}`].join('\n');
}

/** Anything that is no operating error is a defect of the command. */
export function asSparcError(error: unknown): SparcError {
  if (error instanceof SparcError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new SparcError('ERR_CLI_INTERNAL', message, {}, { cause: error });
}

/** Where it began, for whoever mends it. */
export const traceOf = (error: SparcError): string => String((error.cause as Error | undefined)?.stack ?? error.stack);
