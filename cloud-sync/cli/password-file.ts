import { SparcError } from '@sparc/protocol/errors';
import { PASSWORD_CHARACTERS_MAX, PASSWORD_CHARACTERS_MIN } from '../users/index.js';
import { readText } from './read-file.js';

/** Without white space around it. Throws ERR_CLI_READ_FAILED or ERR_CLI_USAGE. */
export function readPassword(path: string): string {
  const password = readText(path).trim();
  if (password.length >= PASSWORD_CHARACTERS_MIN && password.length <= PASSWORD_CHARACTERS_MAX) return password;
  const message = `${path} has no password of ${PASSWORD_CHARACTERS_MIN} to ${PASSWORD_CHARACTERS_MAX} characters`;
  throw new SparcError('ERR_CLI_USAGE', message);
}
