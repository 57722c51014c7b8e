import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { REPOSITORY } from '../support/repository.js';

/** The long runs: fuzz far beyond what CI does, and many seeds of the simulated worlds. Stops at the first failure. */
const FUZZ_RUNS = process.env['SOAK_FUZZ_RUNS'] ?? '1000000';
const SEEDS_COUNT = Number(process.env['SOAK_SEEDS'] ?? 200);

function run(what: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): void {
  const startedAtMs = performance.now();
  const { status } = spawnSync(process.execPath, args, {
    cwd: REPOSITORY,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  console.log(`${what}: ${status === 0 ? 'ok' : 'FAILED'}, ${((performance.now() - startedAtMs) / 1000).toFixed(1)} s`);
  if (status !== 0) process.exit(1);
}

for (const file of ['frame-parser', 'attacks']) {
  const path = join('test', 'dist', 'protocol', 'osdp', `${file}.test.js`);
  run(`${file}, ${FUZZ_RUNS} runs`, [path], { OSDP_FUZZ_RUNS: FUZZ_RUNS, TAP_TIMEOUT: '0' });
}
for (const world of ['bus', 'site']) {
  for (let seed = 1; seed <= SEEDS_COUNT; seed++) {
    run(`${world} world, seed ${seed}`, ['edge/bin/sparc.js', 'simulate', '--world', world, '--seed', String(seed)]);
  }
}
