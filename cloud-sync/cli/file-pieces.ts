import { closeSync, openSync, readSync } from 'node:fs';
import { SparcError } from '@sparc/protocol/errors';

const PIECE_BYTES = 1_048_576;

/** A file of any length, in pieces. Throws ERR_CLI_READ_FAILED. */
export function* filePieces(file: string): Generator<Uint8Array, void> {
  const descriptor = reading(file, () => openSync(file, 'r'));
  try {
    for (;;) {
      const piece = Buffer.alloc(PIECE_BYTES);
      const length = reading(file, () => readSync(descriptor, piece));
      if (length === 0) return;
      yield piece.subarray(0, length);
    }
  } finally {
    closeSync(descriptor);
  }
}

function reading<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new SparcError('ERR_CLI_READ_FAILED', `${file}: ${(cause as Error).message}`, { file }, { cause });
  }
}
