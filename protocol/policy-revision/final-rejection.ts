import type { ErrorCode } from '../errors/index.js';

const FINAL: readonly string[] = [
  'ERR_LEDGER_MALFORMED',
  'ERR_MESH_OTHER_SITE',
  'ERR_POLICY_INVALID',
  'ERR_POLICY_REVISION_INVALID',
  'ERR_POLICY_REVISION_LAYOUT',
] satisfies readonly ErrorCode[];

/** The reason lies in the revision itself: nothing makes it good but another one. */
export const isFinalRejection = (code: string): boolean => FINAL.includes(code);
