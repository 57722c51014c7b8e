import { SparcError } from '@sparc/protocol/errors';

/** What `write` does to a file or a folder. Throws ERR_CLI_WRITE_FAILED. */
export function writing(path: string, write: () => void): void {
  try {
    write();
  } catch (cause) {
    throw new SparcError('ERR_CLI_WRITE_FAILED', `${path}: ${(cause as Error).message}`, { path }, { cause });
  }
}
