import { closeSync, fsyncSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { besideOf, flushPath } from './durable-file.js';

const PIECE_BYTES = 65_536;

/** A file of any length, piece by piece. Throws what the file system throws. */
export function* filePieces(path: string): Generator<Uint8Array, void> {
  const descriptor = openSync(path, 'r');
  try {
    for (;;) {
      const buffer = Buffer.allocUnsafe(PIECE_BYTES);
      const length = readSync(descriptor, buffer, 0, PIECE_BYTES, null);
      if (length === 0) return;
      yield buffer.subarray(0, length);
    }
  } finally {
    closeSync(descriptor);
  }
}

/** Replaces a file whole by these pieces, only for its owner; nothing is there of it when they end in an error. */
export function replaceFileByPieces(path: string, pieces: Iterable<Uint8Array>): void {
  const temporary = besideOf(path);
  const descriptor = openSync(temporary, 'w', 0o600);
  try {
    try {
      for (const piece of pieces) {
        for (let written = 0; written < piece.length;) written += writeSync(descriptor, piece, written);
      }
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  flushPath(dirname(path));
}
