import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { machine, machineText, RESULTS_FOLDER } from '../bench/machine.js';
import { REPOSITORY } from '../support/repository.js';

/** The long runs: fuzz far beyond what CI does, and many seeds of the simulated worlds. Stops at the first failure. */
const FUZZ_RUNS = Number(process.env['SOAK_FUZZ_RUNS'] ?? 200_000);
const SEEDS_COUNT = Number(process.env['SOAK_SEEDS'] ?? 200);

const on = machine();
const rows: string[] = [];

/** Seconds that it took; ends the soak when it fails. */
function run(what: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): number {
  const startedAtMs = performance.now();
  const { status, stdout } = spawnSync(process.execPath, args, {
    cwd: REPOSITORY,
    env: { ...process.env, TAP_TIMEOUT: '0', ...env },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) {
    console.error(`${stdout}\n${what}: FAILED`);
    process.exit(1);
  }
  return (performance.now() - startedAtMs) / 1000;
}

function done(what: string, count: number, seconds: number): void {
  rows.push(`| ${what} | ${count} | ${seconds.toFixed(0)} |`);
  console.log(`${what}: ${count} in ${seconds.toFixed(0)} s, nothing found`);
}

for (const [file, what] of [
  ['frame-parser', 'fuzz runs of each property of the frame parser'],
  ['attacks', 'fuzz runs of each property of Secure Channel'],
] as const) {
  const path = join('test', 'dist', 'protocol', 'osdp', `${file}.test.js`);
  done(what, FUZZ_RUNS, run(what, [path], { OSDP_FUZZ_RUNS: String(FUZZ_RUNS) }));
}
for (const world of ['bus', 'site']) {
  let seconds = 0;
  for (let seed = 1; seed <= SEEDS_COUNT; seed++) {
    const args = ['edge/bin/sparc.js', 'simulate', '--world', world, '--seed', String(seed)];
    seconds += run(`${world} world, seed ${seed}`, args);
  }
  done(`seeds of the ${world} world`, SEEDS_COUNT, seconds);
}
writeFileSync(
  join(RESULTS_FOLDER, 'soak.md'),
  [
    '# Soak',
    `\`npm run soak\` on ${machineText(on)}. Every run ended without a finding.`,
    ['| what | count | seconds |', '| --- | --- | --- |', ...rows].join('\n'),
    '',
  ].join('\n\n'),
);
