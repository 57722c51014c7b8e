import { existsSync, readdirSync, renameSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { flushPath } from './durable-file.js';

/**
 * Keeps a database that cannot be used as evidence, under the next free name beside it: `NAME.corrupt-1.db`. It is closed.
 * Returns that name.
 */
export function moveAside(path: string): string {
  const folder = dirname(path);
  const movedTo = nameAside(path, Math.max(0, ...movedAside(path)) + 1);
  // The write-ahead log first: left behind, SQLite would replay it into the new file.
  for (const suffix of ['-wal', '-shm', '']) {
    if (existsSync(path + suffix)) renameSync(path + suffix, join(folder, movedTo + suffix));
  }
  flushPath(folder);
  return movedTo;
}

/** The last one that was moved aside from this path. */
export function lastMovedAside(path: string): string | undefined {
  const numbers = movedAside(path);
  return numbers.length === 0 ? undefined : nameAside(path, Math.max(...numbers));
}

const nameAside = (path: string, number: number): string => {
  const extension = extname(path);
  return `${basename(path, extension)}.corrupt-${number}${extension}`;
};

function movedAside(path: string): number[] {
  return readdirSync(dirname(path)).flatMap((name) => {
    const number = Number(/\.corrupt-(\d+)\./.exec(name)?.[1]);
    return Number.isSafeInteger(number) && name.startsWith(nameAside(path, number)) ? [number] : [];
  });
}
