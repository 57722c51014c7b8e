import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { MEMBERS_MAX } from '@sparc/protocol/roster';
import { machine, machineText, RESULTS_FOLDER } from '../bench/machine.js';
import { REPOSITORY } from '../support/repository.js';

/**
 * The long runs: fuzz far beyond what CI does, and many seeds of the simulated worlds. Stops at the first failure.
 * `npm run soak -- osdp-fuzz` runs one part of it.
 */
const FRAMES_COUNT = Number(process.env['SOAK_FRAMES'] ?? 10_000_000);
const SESSIONS_COUNT = Number(process.env['SOAK_SESSIONS'] ?? 100_000);
const FUZZ_RUNS = Number(process.env['SOAK_FUZZ_RUNS'] ?? 200_000);
const SEEDS_COUNT = Number(process.env['SOAK_SEEDS'] ?? 200);
/** So many processes of a fuzz run, each with a seed of its own. */
const PIECES_COUNT = 20;

const on = machine();

interface Row {
  readonly what: string;
  readonly count: number;
  readonly seconds: number;
  readonly counts?: Readonly<Record<string, number>>;
}

/** What it printed; ends the soak when it fails. */
async function run(what: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
  const child = spawn(process.execPath, args, {
    cwd: REPOSITORY,
    env: { ...process.env, TAP_TIMEOUT: '0', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  const status = await new Promise((resolve) => child.on('close', resolve));
  if (status === 0) return output;
  console.error(`${output}\n${what}: FAILED`);
  process.exit(1);
}

async function timed(what: string, count: number, work: () => Promise<Row['counts'] | undefined>): Promise<Row> {
  const startedAtMs = performance.now();
  const counts = await work();
  const seconds = (performance.now() - startedAtMs) / 1000;
  console.log(`${what}: ${count} in ${seconds.toFixed(0)} s, nothing found`);
  return { what, count, seconds, ...(counts === undefined ? {} : { counts }) };
}

/** Pieces of one fuzz run, as many at a time as there are cores. Their counts are added up. */
async function fuzzed(kind: 'frames' | 'sessions', count: number): Promise<Record<string, number>> {
  const program = join('test', 'dist', 'soak', 'osdp-fuzz.js');
  const totals: Record<string, number> = {};
  const seeds = Array.from({ length: PIECES_COUNT }, (_, index) => index + 1);
  const work = async (): Promise<void> => {
    for (let seed = seeds.shift(); seed !== undefined; seed = seeds.shift()) {
      const share = Math.floor((count * seed) / PIECES_COUNT) - Math.floor((count * (seed - 1)) / PIECES_COUNT);
      const printed = await run(`fuzzed ${kind}, seed ${seed}`, [program, kind, String(seed), String(share)]);
      for (const [name, value] of Object.entries(JSON.parse(printed) as Record<string, number>)) {
        totals[name] = (totals[name] ?? 0) + value;
      }
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return totals;
}

async function osdpFuzz(): Promise<Row[]> {
  return [
    await timed('fuzzed frames', FRAMES_COUNT, () => fuzzed('frames', FRAMES_COUNT)),
    await timed('mutated secure sessions', SESSIONS_COUNT, () => fuzzed('sessions', SESSIONS_COUNT)),
  ];
}

async function properties(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [file, what, count, variable] of [
    ['protocol/osdp/frame-parser', 'fuzz runs of each property of the frame parser', FUZZ_RUNS, 'OSDP_FUZZ_RUNS'],
    ['protocol/osdp/attacks', 'fuzz runs of each property of Secure Channel', FUZZ_RUNS, 'OSDP_FUZZ_RUNS'],
    // Each of them lives through three seconds.
    ['protocol/osdp/single-fault', 'days of a reader with one fault', FUZZ_RUNS / 20, 'OSDP_FUZZ_RUNS'],
    // Each of them is read minute by minute.
    ['edge/access/schedule-years', 'two days of a schedule in any zone', FUZZ_RUNS / 20, 'SCHEDULE_RUNS'],
    ['edge/mesh/libp2p-large-site', 'gateways of one site over libp2p', MEMBERS_MAX, 'MESH_MEMBERS'],
  ] as const) {
    const path = join('test', 'dist', `${file}.test.js`);
    const once = async (): Promise<undefined> => void (await run(what, [path], { [variable]: String(count) }));
    rows.push(await timed(what, count, once));
  }
  return rows;
}

async function worlds(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const world of ['bus', 'site', 'mesh', 'town']) {
    const all = async (): Promise<undefined> => {
      for (let seed = 1; seed <= SEEDS_COUNT; seed++) {
        const args = ['edge/bin/sparc.js', 'simulate', '--world', world, '--seed', String(seed)];
        await run(`${world} world, seed ${seed}`, args);
      }
    };
    rows.push(await timed(`seeds of the ${world} world`, SEEDS_COUNT, all));
  }
  return rows;
}

const PARTS: Readonly<Record<string, () => Promise<Row[]>>> = {
  'osdp-fuzz': osdpFuzz,
  soak: async () => [...(await properties()), ...(await worlds())],
};

function markdown(name: string, rows: readonly Row[]): string {
  const seen = ({ counts = {} }: Row): string =>
    Object.entries(counts)
      .map(([what, count]) => `${count} ${what.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)}`)
      .join(', ');
  return [
    name === 'soak' ? '# Soak' : '# OSDP fuzz',
    `\`npm run soak -- ${name}\` on ${machineText(on)}. Every run ended without a finding.`,
    [
      '| what | count | seconds | among them |',
      '| --- | --- | --- | --- |',
      ...rows.map((row) => `| ${row.what} | ${row.count} | ${row.seconds.toFixed(0)} | ${seen(row)} |`),
    ].join('\n'),
    '',
  ].join('\n\n');
}

const names = process.argv.slice(2);
const unknown = names.filter((name) => !(name in PARTS));
if (unknown.length > 0) {
  console.error(`no part is called ${unknown.join(', ')}; there are: ${Object.keys(PARTS).join(', ')}`);
  process.exit(2);
}
mkdirSync(RESULTS_FOLDER, { recursive: true });
for (const [name, part] of Object.entries(PARTS)) {
  if (names.length > 0 && !names.includes(name)) continue;
  const rows = await part();
  writeFileSync(join(RESULTS_FOLDER, `${name}.md`), markdown(name, rows));
  writeFileSync(join(RESULTS_FOLDER, `${name}.json`), `${JSON.stringify({ machine: on, rows }, null, 2)}\n`);
}
