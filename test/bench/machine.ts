import { execFileSync } from 'node:child_process';
import { cpus, loadavg, totalmem, type } from 'node:os';
import { join } from 'node:path';

export const RESULTS_FOLDER = join(import.meta.dirname, '..', '..', 'bench', 'results');

/** What figures were taken on. */
export interface Machine {
  readonly cpu: string;
  readonly memoryGib: number;
  readonly os: string;
  readonly node: string;
  readonly commit: string;
  /** Processes that wanted a core in the minute before: figures of a busy machine are no figures. */
  readonly loadBefore: number;
}

export function machine(): Machine {
  const git = (...args: string[]) => execFileSync('git', args, { cwd: import.meta.dirname, encoding: 'utf8' }).trim();
  let commit = 'unknown';
  try {
    commit = git('rev-parse', '--short', 'HEAD');
  } catch {
    // A copy without its history.
  }
  const model = cpus()[0]?.model ?? 'unknown';
  return {
    cpu: `${cpus().length} × ${model}`,
    memoryGib: Math.round(totalmem() / 2 ** 30),
    os: `${type()} ${process.arch}`,
    node: process.version,
    commit,
    loadBefore: loadavg()[0] ?? NaN,
  };
}

export const machineText = ({ cpu, memoryGib, os, node, commit, loadBefore }: Machine): string =>
  `${cpu}, ${memoryGib} GiB, ${os}, Node ${node}, commit ${commit}, load before ${loadBefore.toFixed(1)}`;
