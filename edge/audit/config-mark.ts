import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EventDraft } from '@sparc/protocol/events';
import { replaceFileDurablyLater } from '../platform/index.js';

/** What tells one configuration file from another. */
export interface ConfigMark {
  /** Lower-case hex. */
  readonly sha256: string;
  readonly modifiedAtUnixMs: number;
}

/** Throws what the file system throws. */
export function markOfConfig(path: string): ConfigMark {
  const sha256 = createHash('sha256').update(readFileSync(path)).digest('hex');
  return { sha256, modifiedAtUnixMs: Math.round(statSync(path).mtimeMs) };
}

const FILE = 'configuration.sha256';

/** Records that the configuration is another than at the last start; `record` resolves to whether that is on disk. */
export async function recordConfigChange(
  dataDir: string,
  { sha256, modifiedAtUnixMs }: ConfigMark,
  record: (event: EventDraft) => Promise<boolean>,
): Promise<void> {
  const path = join(dataDir, FILE);
  const before = await readFile(path, 'utf8').catch(() => undefined);
  if (before === sha256) return;
  if (before !== undefined) {
    const detail = { from: before.slice(0, 64), to: sha256, modifiedAt: new Date(modifiedAtUnixMs).toISOString() };
    if (!(await record({ name: 'config.changed', detail }))) return;
  }
  await replaceFileDurablyLater(path, Buffer.from(sha256));
}
