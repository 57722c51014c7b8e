import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
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

const TICK_MS = 10;

/** Milliseconds of processor that a process took so far, with its children and those that it has waited for. Linux alone. */
export function treeCpuMs(pid: number | undefined): number {
  if (pid === undefined) return NaN;
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
  const [own, ended] = ticksOf(pid);
  return TICK_MS * (own + ended + children.reduce((sum, child) => sum + ticksOf(Number(child))[0], 0));
}

/** Of its own, and of children that are over: proc(5), fields 14 to 17 of stat. */
function ticksOf(pid: number): readonly [number, number] {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ').map(Number) ?? [];
  const [user = 0, system = 0, childUser = 0, childSystem = 0] = fields.slice(11, 15);
  return [user + system, childUser + childSystem];
}
