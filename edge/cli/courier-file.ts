import { statSync } from 'node:fs';
import { SparcError } from '@sparc/protocol/errors';
import { headFromText, type SignedHead } from '@sparc/protocol/ledger';
import { filePieces, replaceFileByPieces } from '../platform/index.js';
import { readBinaryFile } from './binary-file.js';

const HEADS_BYTES_MAX = 1_048_576;

/** A file of any length, to be read piece by piece. Throws ERR_CLI_READ_FAILED, also while it is read. */
export function longFile(file: string): { readonly sizeBytes: number; readonly pieces: Iterable<Uint8Array> } {
  try {
    return { sizeBytes: statSync(file).size, pieces: readPieces(file) };
  } catch (cause) {
    throw unreadable(file, cause);
  }
}

function* readPieces(file: string): Generator<Uint8Array, void> {
  try {
    yield* filePieces(file);
  } catch (cause) {
    throw unreadable(file, cause);
  }
}

const unreadable = (file: string, cause: unknown) =>
  new SparcError('ERR_CLI_READ_FAILED', `${file}: ${(cause as Error).message}`, { file }, { cause });

/** Replaces a file whole, only for its owner. Throws ERR_CLI_WRITE_FAILED, or what the pieces end in. */
export function writePieces(file: string, pieces: Iterable<Uint8Array>): void {
  try {
    replaceFileByPieces(file, pieces);
  } catch (cause) {
    if (cause instanceof SparcError) throw cause;
    throw new SparcError('ERR_CLI_WRITE_FAILED', `${file}: ${(cause as Error).message}`, { file }, { cause });
  }
}

/** What `sparc mesh heads` printed, with `--json` or without. Throws ERR_CLI_READ_FAILED or ERR_CLI_USAGE. */
export function readHeads(file: string): readonly SignedHead[] {
  const text = Buffer.from(readBinaryFile(file, HEADS_BYTES_MAX)).toString('utf8').trim();
  try {
    const lines = text.startsWith('[')
      ? (JSON.parse(text) as unknown[]).map((head) => JSON.stringify(head))
      : text.split('\n');
    return lines.map(headFromText);
  } catch (cause) {
    throw new SparcError('ERR_CLI_USAGE', `${file} is not what \`sparc mesh heads\` printed`, { file }, { cause });
  }
}
