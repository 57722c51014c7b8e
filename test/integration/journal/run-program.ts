import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { readEntries, verifyLedger } from '@sparc/edge/ledger';
import { isSparcError } from '@sparc/protocol/errors';
import type { Heard } from './journal-program.js';

type Acknowledged = Extract<Heard, { kind: 'acknowledged' }>;

export interface Run {
  readonly heard: readonly Heard[];
  readonly signal: NodeJS.Signals | null;
}

export interface RunOptions {
  readonly how: 'thread' | 'direct';
  readonly parallel: number;
  readonly environment?: NodeJS.ProcessEnv;
  readonly preload?: 'preload-synchronous-off' | 'preload-commit-hook';
  /** After each line; the program is killed, or asked to stop, when it says so. */
  readonly until: (heard: readonly Heard[]) => 'SIGKILL' | 'SIGTERM' | undefined;
}

/** Runs the journal program until it is dead. */
export function runProgram(dataDir: string, { how, parallel, environment, preload, until }: RunOptions): Promise<Run> {
  const program = join(import.meta.dirname, 'journal-program.js');
  const imports = preload ? [`--import=${pathToFileURL(join(import.meta.dirname, `${preload}.js`)).href}`] : [];
  const child = spawn(process.execPath, [...imports, program, dataDir, how, String(parallel)], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const heard: Heard[] = [];
  let isAsked = false;
  createInterface({ input: child.stdout }).on('line', (line) => {
    heard.push(JSON.parse(line) as Heard);
    const signal = isAsked ? undefined : until(heard);
    if (signal === undefined) return;
    isAsked = true;
    child.kill(signal);
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (_code, signal) => resolve({ heard, signal }));
  });
}

export const acknowledged = (heard: readonly Heard[]) =>
  heard.filter((line): line is Acknowledged => line.kind === 'acknowledged');

/** Entries that the program was told are on disk, and that the journal does not have. */
export function lostEntries(path: string, heard: readonly Heard[]): string[] {
  const kept = keptNumbers(path);
  return acknowledged(heard)
    .filter(({ epoch, sequence, number }) => kept.get(`${epoch}/${sequence}`) !== number)
    .map(({ epoch, sequence }) => `${epoch}/${sequence}`);
}

function keptNumbers(path: string): Map<string, string | undefined> {
  try {
    const entries = readEntries(path, { limit: 1_000_000 });
    return new Map(entries.map(({ id, record }) => [`${id.epoch}/${id.sequence}`, record?.detail?.['number']]));
  } catch (error) {
    // A journal that is not there, or cannot be read, has kept nothing.
    if (!isSparcError(error)) throw error;
    return new Map();
  }
}

/** `journal.db` of a folder is whole; the code of the first problem otherwise. */
export const wholeness = (dataDir: string) => {
  const { ok, problem } = verifyLedger(join(dataDir, 'journal.db'));
  return ok ? 'whole' : problem?.code;
};

export async function temporaryFolder(t: { teardown(remove: () => Promise<void>): void }): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sparc-journal-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
