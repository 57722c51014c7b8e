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

/** Throws ERR_CLI_READ_FAILED, also for a longer one. */
export function readBytes(file: string, bytesMax = Infinity): Buffer {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for (const piece of filePieces(file)) {
    pieces.push(piece);
    length += piece.length;
    if (length > bytesMax) throw readFailed(file, new Error(`more than ${bytesMax} bytes`));
  }
  return Buffer.concat(pieces);
}

/** Throws ERR_CLI_READ_FAILED. */
export const readText = (file: string): string => readBytes(file).toString('utf8');

function reading<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw readFailed(file, cause as Error);
  }
}

const readFailed = (file: string, cause: Error) =>
  new SparcError('ERR_CLI_READ_FAILED', `${file}: ${cause.message}`, { file }, { cause });
