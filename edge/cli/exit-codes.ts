import { problemsOf } from '@sparc/protocol/document';
import type { ErrorCode, SparcError } from '@sparc/protocol/errors';

/** How `sparc` ends; part of its interface. */
export const EXIT = { ok: 0, checkFailed: 1, badInput: 2, operating: 3, internal: 4 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export const EXIT_CODES: readonly (readonly [ExitCode, string])[] = [
  [EXIT.ok, 'done'],
  [EXIT.checkFailed, 'a check failed: a damaged ledger, a promise broken in a simulation'],
  [EXIT.badInput, 'the command line, the configuration, a site file or another file that was given is wrong'],
  [EXIT.operating, 'the machine refused: a file, a disk, a port, a permission, another process'],
  [EXIT.internal, 'a defect of the command'],
];

const BAD_INPUT: readonly ErrorCode[] = [
  'ERR_CLI_USAGE',
  'ERR_CONFIG_UNREADABLE',
  'ERR_CONFIG_INVALID',
  'ERR_OSDP_CAPTURE',
  'ERR_OSDP_KEY_WEAK',
  'ERR_POLICY_CALENDAR',
  'ERR_MESH_REQUEST_INVALID',
  'ERR_MESH_ADMISSION_INVALID',
  'ERR_CLAIM_CODE_MISTYPED',
];

export function exitCodeOf(error: SparcError): ExitCode {
  if (error.code === 'ERR_CLI_INTERNAL') return EXIT.internal;
  return BAD_INPUT.includes(error.code) || problemsOf(error).length > 0 ? EXIT.badInput : EXIT.operating;
}
