import { closeSync, fstatSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { SparcError } from '@sparc/protocol/errors';
import { createFileDurably } from './durable-file.js';

/** Any permission of group or others. */
const OTHERS = 0o077;

/**
 * Reads a secret that only its owner can read, or returns undefined when there is no such file. The check and the read
 * use one descriptor, so that the file cannot be changed between them.
 * Throws ERR_CONFIG_SECRET_EXPOSED, or ERR_CONFIG_UNREADABLE.
 */
export function readSecretFile(path: string): Uint8Array | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw unreadable(path, error);
  }
  try {
    const mode = fstatSync(descriptor).mode & 0o777;
    if ((mode & OTHERS) !== 0) {
      throw new SparcError(
        'ERR_CONFIG_SECRET_EXPOSED',
        `${path} holds a secret and others can reach it (mode ${mode.toString(8)}): run \`chmod 600\` on it, and replace the secret if others may have read it`,
        { path },
      );
    }
    return readFileSync(descriptor);
  } catch (error) {
    throw error instanceof SparcError ? error : unreadable(path, error);
  } finally {
    closeSync(descriptor);
  }
}

/** Creates the file whole with mode 0600, in a folder with mode 0700. Throws EEXIST when there is one. */
export function createSecretFile(path: string, bytes: Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  createFileDurably(path, bytes, 0o600);
}

function unreadable(path: string, cause: unknown): SparcError {
  return new SparcError(
    'ERR_CONFIG_UNREADABLE',
    `${path} cannot be read: ${(cause as Error).message}`,
    { path },
    { cause },
  );
}
