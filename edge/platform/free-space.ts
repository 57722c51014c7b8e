import { statfsSync } from 'node:fs';

/** Bytes that may still be written to the file system of a path. */
export function freeBytesAt(path: string): number {
  const { bavail, bsize } = statfsSync(path);
  return bavail * bsize;
}
