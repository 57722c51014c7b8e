import { join } from 'node:path';
import { SparcError } from '@sparc/protocol/errors';
import type { Random } from '@sparc/protocol/ports';
import type { CloudConfig } from '../config/index.js';
import { keptSecret } from '../platform/index.js';

/**
 * What access tokens are signed with. Made at the first start where the database is inside the program, and so the process
 * alone. Throws ERR_CONFIG_INVALID where it has to be given.
 */
export function jwtSecret({ JWT_SECRET, DATABASE_URL, AUTHORITY_KEYS_DIR }: CloudConfig, random: Random): string {
  if (JWT_SECRET !== undefined) return JWT_SECRET;
  if (!DATABASE_URL.startsWith('pglite:')) {
    const problem = 'JWT_SECRET: is missing, and every process is to have the same';
    throw new SparcError('ERR_CONFIG_INVALID', problem, { problems: [problem] });
  }
  return Buffer.from(keptSecret(join(AUTHORITY_KEYS_DIR, 'access-tokens.key'), random)).toString('base64url');
}
