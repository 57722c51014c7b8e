import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFileDurably } from '../platform/index.js';

/** The folder of generations in a data directory. */
export function policyFolder(dataDir: string): string {
  return join(dataDir, 'policy');
}

/** Names the generation in force. */
export const POINTER_FILE_NAME = 'current';

/** The files of one generation. Each is written whole, and none changes afterwards. */
export function generationFiles(dataDir: string, generation: number) {
  const base = join(policyFolder(dataDir), `generation-${generation}`);
  return { database: `${base}.db`, manifest: `${base}.json`, emergency: `${base}.emergency.json` };
}

/** Numbers of all generations of which a file exists, newest first. */
export function listGenerations(dataDir: string): number[] {
  const numbers = new Set<number>();
  for (const name of namesIn(policyFolder(dataDir))) {
    const digits = /^generation-(\d{1,15})\./.exec(name)?.[1];
    if (digits !== undefined) numbers.add(Number(digits));
  }
  return [...numbers].sort((a, b) => b - a);
}

export function removeGeneration(dataDir: string, generation: number): void {
  const prefix = `generation-${generation}.`;
  for (const name of namesIn(policyFolder(dataDir))) {
    if (name.startsWith(prefix)) rmSync(join(policyFolder(dataDir), name), { recursive: true, force: true });
  }
}

/** `none` before the first site file was applied; `damaged` when the file says nothing. */
export function readPointer(dataDir: string): number | 'none' | 'damaged' {
  try {
    const text = readFileSync(join(policyFolder(dataDir), POINTER_FILE_NAME), 'utf8');
    return /^\d{1,15}\n$/.test(text) ? Number(text) : 'damaged';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'none' : 'damaged';
  }
}

/** Brings a generation into force: after a crash the old one or this one is, never neither. */
export function writePointer(dataDir: string, generation: number): void {
  replaceFileDurably(join(policyFolder(dataDir), POINTER_FILE_NAME), Buffer.from(`${generation}\n`));
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
