import { closeSync, fsyncSync, linkSync, openSync, renameSync, unlinkSync, writeSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Flushes a file or a directory entry to the disk. */
export function flushPath(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function writeBeside(path: string, bytes: Uint8Array, mode: number): string {
  const temporary = `${path}.${process.pid}.tmp`;
  const descriptor = openSync(temporary, 'w', mode);
  try {
    for (let written = 0; written < bytes.length;) written += writeSync(descriptor, bytes, written);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  return temporary;
}

/** Replaces a file whole: after a crash it has the old content or the new, never a part. */
export function replaceFileDurably(path: string, bytes: Uint8Array, mode = 0o644): void {
  renameSync(writeBeside(path, bytes, mode), path);
  flushPath(dirname(path));
}

/** Creates a file whole, or throws EEXIST and leaves the one that is there. */
export function createFileDurably(path: string, bytes: Uint8Array, mode = 0o644): void {
  const temporary = writeBeside(path, bytes, mode);
  try {
    linkSync(temporary, path);
  } finally {
    unlinkSync(temporary);
  }
  flushPath(dirname(path));
}

/** As `replaceFileDurably`, but without holding up the thread: a slow disk may take seconds. */
export async function replaceFileDurablyLater(path: string, bytes: Uint8Array, mode = 0o644): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  const file = await open(temporary, 'w', mode);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  const folder = await open(dirname(path), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
