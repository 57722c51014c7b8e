import { readFileSync, statSync } from 'node:fs';
import { SparcError } from '@sparc/protocol/errors';

/** Reads UTF-8, byte order mark removed. Throws ERR_CONFIG_UNREADABLE when the file is missing, barred, too large or no text. */
export function readTextFile(path: string, sizeMaxBytes: number): string {
  const refuse = (why: string, cause?: unknown) =>
    new SparcError('ERR_CONFIG_UNREADABLE', `${path} cannot be read: ${why}`, { path }, { cause });
  let bytes: Buffer;
  try {
    const { size } = statSync(path);
    if (size > sizeMaxBytes) throw refuse(`it has ${size} bytes, the most is ${sizeMaxBytes}`);
    bytes = readFileSync(path);
  } catch (error) {
    if (error instanceof SparcError) throw error;
    throw refuse(whyUnreadable(error), error);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw refuse('it is no UTF-8 text', error);
  }
}

function whyUnreadable(error: unknown): string {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ENOENT':
      return 'there is no such file';
    case 'EACCES':
      return 'permission is missing';
    case 'EISDIR':
      return 'it is a directory';
    default:
      return (error as Error).message;
  }
}
