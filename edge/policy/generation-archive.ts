import { mkdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { flushPath } from '../platform/index.js';
import { generationFiles, listGenerations, policyFolder, removeGeneration } from './generation-files.js';

/** Old generations are kept, so that decisions under them can be made again, while all together take no more than this. */
export const ARCHIVE_BYTES_MAX = 268_435_456;
export const ARCHIVED_GENERATIONS_MAX = 100;

/** Laid out as a data directory, so that what reads generations reads these too. None of them ever comes into force. */
export const archiveOf = (dataDir: string): string => join(dataDir, 'archive');

/** Moves a generation out of the way of those that may come into force, where there is room for it. */
export function archiveGeneration(dataDir: string, generation: number, bytesMax = ARCHIVE_BYTES_MAX): void {
  const archive = archiveOf(dataDir);
  const [from, to] = [generationFiles(dataDir, generation), generationFiles(archive, generation)];
  mkdirSync(policyFolder(archive), { recursive: true });
  // What a crash left between the two is made up for: a part that was moved is not there any more.
  for (const part of ['database', 'manifest', 'emergency'] as const) {
    if (sizeOf(from[part]) > 0) renameSync(from[part], to[part]);
  }
  flushPath(policyFolder(archive));
  removeGeneration(dataDir, generation);
  let bytes = 0;
  for (const [index, kept] of listGenerations(archive).entries()) {
    bytes += sizeOf(generationFiles(archive, kept).database);
    if (bytes > bytesMax || index >= ARCHIVED_GENERATIONS_MAX) removeGeneration(archive, kept);
  }
}

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;
