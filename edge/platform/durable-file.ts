import { closeSync, fsyncSync, linkSync, openSync, renameSync, rmSync, unlinkSync, writeSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { threadId } from 'node:worker_threads';

let writesCount = 0;

/** No two writers have the same, in whatever thread they are. */
export function besideOf(path: string): string {
  writesCount += 1;
  return `${path}.${process.pid}-${threadId}-${writesCount}.tmp`;
}

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
  const temporary = besideOf(path);
  const descriptor = openSync(temporary, 'w', mode);
  try {
    for (let written = 0; written < bytes.length;) written += writeSync(descriptor, bytes, written);
    fsyncSync(descriptor);
  } catch (error) {
    // A full disk is tried again and again, each time under another name.
    rmSync(temporary, { force: true });
    throw error;
  } finally {
    closeSync(descriptor);
  }
  return temporary;
}

/** Replaces a file whole: after a crash it has the old content or the new, never a part. */
export function replaceFileDurably(path: string, bytes: Uint8Array, mode = 0o644): void {
  const temporary = writeBeside(path, bytes, mode);
  try {
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
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
  const temporary = besideOf(path);
  try {
    const file = await open(temporary, 'w', mode);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
  const folder = await open(dirname(path), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
