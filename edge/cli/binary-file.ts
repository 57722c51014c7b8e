import { readFileSync, statSync } from 'node:fs';
import { SparcError } from '@sparc/protocol/errors';
import { replaceFileDurably } from '../platform/index.js';

/** Throws ERR_CLI_READ_FAILED. */
export function readBinaryFile(file: string, bytesMax: number): Uint8Array {
  try {
    const { size } = statSync(file);
    if (size <= bytesMax) return readFileSync(file);
    throw new Error(`${size} bytes, where ${bytesMax} may be`);
  } catch (cause) {
    throw new SparcError('ERR_CLI_READ_FAILED', `${file}: ${(cause as Error).message}`, { file }, { cause });
  }
}

/** Throws ERR_CLI_WRITE_FAILED. */
export function writeBinaryFile(file: string, bytes: Uint8Array): void {
  try {
    replaceFileDurably(file, bytes, 0o600);
  } catch (cause) {
    throw new SparcError('ERR_CLI_WRITE_FAILED', `${file}: ${(cause as Error).message}`, { file }, { cause });
  }
}
