import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EventDraft } from '@sparc/protocol/events';
import { replaceFileDurablyLater } from '../platform/index.js';
import { unlessAbsent } from './act-note.js';

/** What tells one state of a file that people write from another. */
export interface ConfigMark {
  readonly file: 'configuration' | 'osdpKeys';
  /** Lower-case hex. Of keys too: they are no words that could be tried. */
  readonly sha256: string;
  readonly modifiedAtUnixMs: number;
}

/** Throws what the file system throws. */
export function markOfFile(file: ConfigMark['file'], path: string): ConfigMark {
  const sha256 = createHash('sha256').update(readFileSync(path)).digest('hex');
  return { file, sha256, modifiedAtUnixMs: Math.round(statSync(path).mtimeMs) };
}

/** Records that a file is another than at the last start; `record` resolves to whether that is on disk. */
export async function recordConfigChange(
  dataDir: string,
  { file, sha256, modifiedAtUnixMs }: ConfigMark,
  record: (event: EventDraft) => Promise<boolean>,
): Promise<void> {
  const path = join(dataDir, `${file}.sha256`);
  const before = await unlessAbsent(readFile(path, 'utf8'));
  if (before === sha256) return;
  if (before !== undefined) {
    const modifiedAt = new Date(modifiedAtUnixMs).toISOString();
    const detail = { file, from: before.slice(0, 64), to: sha256, modifiedAt };
    if (!(await record({ name: 'config.changed', detail }))) return;
  }
  await replaceFileDurablyLater(path, Buffer.from(sha256));
}
