import { readFileSync } from 'node:fs';
import { SparcError } from '@sparc/protocol/errors';
import { PASSWORD_CHARACTERS_MAX, PASSWORD_CHARACTERS_MIN } from '../users/index.js';

/** Without white space around it. Throws ERR_CONFIG_UNREADABLE or ERR_CLI_USAGE. */
export function readPassword(path: string): string {
  let password: string;
  try {
    password = readFileSync(path, 'utf8').trim();
  } catch (error) {
    throw new SparcError('ERR_CONFIG_UNREADABLE', `${path}: ${(error as Error).message}`, { path }, { cause: error });
  }
  if (password.length >= PASSWORD_CHARACTERS_MIN && password.length <= PASSWORD_CHARACTERS_MAX) return password;
  const message = `${path} has no password of ${PASSWORD_CHARACTERS_MIN} to ${PASSWORD_CHARACTERS_MAX} characters`;
  throw new SparcError('ERR_CLI_USAGE', message);
}
