import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, totalmem, type } from 'node:os';
import { join } from 'node:path';
import type { BenchReport, BenchTable } from './bench.js';

/** Every bench, by the name it is asked for. */
const BENCHES: Readonly<Record<string, () => Promise<{ run(): Promise<BenchReport> }>>> = {
  decision: () => import('./decision.js'),
  osdp: () => import('./osdp.js'),
  wire: () => import('./wire.js'),
  'card-to-unlock': () => import('./card-to-unlock.js'),
  isolation: () => import('./isolation.js'),
  journal: () => import('./journal.js'),
};

const RESULTS_FOLDER = join(import.meta.dirname, '..', '..', 'bench', 'results');

interface Machine {
  readonly cpu: string;
  readonly memoryGib: number;
  readonly os: string;
  readonly node: string;
  readonly commit: string;
  /** Processes that wanted a core in the minute before: figures of a busy machine are no figures. */
  readonly loadBefore: number;
}

function machine(): Machine {
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

const row = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;

const table = ({ caption, columns, rows }: BenchTable): string =>
  [`**${caption}**`, '', row(columns), row(columns.map(() => '---')), ...rows.map(row)].join('\n');

function markdown(name: string, { title, method, targets, tables }: BenchReport, on: Machine): string {
  const targetTable = {
    caption: 'Targets',
    columns: ['what', 'target', 'measured', ''],
    rows: targets.map(({ what, target, measured, met }) => [what, target, measured, met ? 'met' : 'missed']),
  };
  return [
    `# ${title}`,
    `\`npm run bench -- ${name}\` on ${on.cpu}, ${on.memoryGib} GiB, ${on.os}, Node ${on.node}, commit ${on.commit}, load before ${on.loadBefore.toFixed(1)}.`,
    ...method,
    ...(targets.length > 0 ? [table(targetTable)] : []),
    ...tables.map(table),
    '',
  ].join('\n\n');
}

const names = process.argv.slice(2);
const unknown = names.filter((name) => !(name in BENCHES));
if (unknown.length > 0) {
  console.error(`no bench is called ${unknown.join(', ')}; there are: ${Object.keys(BENCHES).join(', ')}`);
  process.exit(2);
}
mkdirSync(RESULTS_FOLDER, { recursive: true });
for (const name of names.length > 0 ? names : Object.keys(BENCHES)) {
  const on = machine();
  const report = await (await BENCHES[name]?.())?.run();
  if (!report) continue;
  const text = markdown(name, report, on);
  console.log(text);
  writeFileSync(join(RESULTS_FOLDER, `${name}.md`), text);
  writeFileSync(join(RESULTS_FOLDER, `${name}.json`), `${JSON.stringify({ machine: on, ...report }, null, 2)}\n`);
}
