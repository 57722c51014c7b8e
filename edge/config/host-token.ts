import { SparcError } from '@sparc/protocol/errors';
import { readSecretFile } from '../platform/secret-file.js';

/** Throws ERR_CONFIG_UNREADABLE, ERR_CONFIG_SECRET_EXPOSED or ERR_CONFIG_SECRET_CORRUPT; no message shows the token. */
export function loadHostToken(path: string): string {
  const bytes = readSecretFile(path);
  if (bytes === undefined) {
    throw new SparcError('ERR_CONFIG_UNREADABLE', `${path} cannot be read: there is no such file`, { path });
  }
  const token = Buffer.from(bytes).toString('latin1').trim();
  if (!/^[\x21-\x7e]{16,1024}$/.test(token)) {
    throw new SparcError(
      'ERR_CONFIG_SECRET_CORRUPT',
      `${path} does not hold a token: 16 to 1,024 printable ASCII characters without spaces, on one line`,
      { path },
    );
  }
  return token;
}
