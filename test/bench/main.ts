import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench, BenchReport, BenchTable } from './bench.js';
import { machine, machineText, RESULTS_FOLDER, type Machine } from './machine.js';

/** Every bench, by the name it is asked for. */
const BENCHES: Readonly<Record<string, () => Promise<Bench>>> = {
  decision: () => import('./decision.js'),
  osdp: () => import('./osdp.js'),
  'osdp-load': () => import('./osdp-load.js'),
  'osdp-peers': () => import('./osdp-peers.js'),
  wire: () => import('./wire.js'),
  'card-to-unlock': () => import('./card-to-unlock.js'),
  isolation: () => import('./isolation.js'),
  journal: () => import('./journal.js'),
  'directive-spread': () => import('./directive-spread.js'),
  'heard-start': () => import('./heard-start.js'),
  'mesh-heal': () => import('./mesh-heal.js'),
  'mesh-spread': () => import('./mesh-spread.js'),
  'mesh-loss': () => import('./mesh-loss.js'),
  'mesh-memory': () => import('./mesh-memory.js'),
  'policy-sign': () => import('./policy-sign.js'),
  'policy-lane': () => import('./policy-lane.js'),
  'cloud-ingest': () => import('./cloud-ingest.js'),
  'cloud-reconnect': () => import('./cloud-reconnect.js'),
  'door-change': () => import('./door-change.js'),
  'policy-publish': () => import('./policy-publish.js'),
};

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
    `\`npm run bench -- ${name}\` on ${machineText(on)}.`,
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
  const record = (report: BenchReport): void => {
    const text = markdown(name, report, on);
    console.log(text);
    writeFileSync(join(RESULTS_FOLDER, `${name}.md`), text);
    writeFileSync(join(RESULTS_FOLDER, `${name}.json`), `${JSON.stringify({ machine: on, ...report }, null, 2)}\n`);
  };
  const report = await (await BENCHES[name]?.())?.run(record);
  if (report !== undefined) record(report);
}
