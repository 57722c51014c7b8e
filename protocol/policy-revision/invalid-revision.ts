import { SparcError } from '../errors/index.js';

export const invalidRevision = (why: string, cause?: unknown) =>
  new SparcError('ERR_POLICY_REVISION_INVALID', why, {}, { cause });
