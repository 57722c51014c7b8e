import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { checkFaultsFired, Violations } from '@sparc/simulator/scenarios';
import { THIEF_FAULTS, TOWN_FAULTS, type WorldReport } from '@sparc/simulator/site';
import t from 'tap';

const SEEDS_COUNT = 100;
/** Two threads share the seeds, where there are two processors. */
const THREADS_MAX = 2;
/** What is short-lived in a world of sixteen gateways fits into it, so that little is copied. */
const YOUNG_GENERATION_MB = 192;
const PROGRAM = new URL('../support/town-program.js', import.meta.url);
/** `SIMULATION_SEED=42` runs one seed alone. */
const SEED = process.env.SIMULATION_SEED;

t.test('a town without a cloud keeps every promise while all of it fails and one gateway lies', async (t) => {
  const seeds = SEED === undefined ? Array.from({ length: SEEDS_COUNT }, (_, index) => index + 1) : [Number(SEED)];
  const fired = new Map<string, number>();
  const seen: Record<string, number> = {};
  const waiting = [...seeds];
  const work = async () => {
    const worker = new Worker(PROGRAM, { resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB } });
    for (let seed = waiting.shift(); seed !== undefined; seed = waiting.shift()) {
      worker.postMessage(seed);
      const [{ digest, counts, violations, faultsFired }] = (await once(worker, 'message')) as [WorldReport];
      t.comment(`sparc simulate --world town --seed ${seed} --pace 0.5 → ${digest} ${JSON.stringify(counts)}`);
      t.same(violations, [], `seed ${seed}`);
      for (const [what, count] of Object.entries(counts)) seen[what] = (seen[what] ?? 0) + count;
      for (const [fault, count] of faultsFired) fired.set(fault, (fired.get(fault) ?? 0) + count);
    }
    await worker.terminate();
  };
  await Promise.all(Array.from({ length: Math.min(THREADS_MAX, availableParallelism()) }, work));
  if (SEED !== undefined) return;
  const missing = new Violations(() => 0);
  checkFaultsFired([...TOWN_FAULTS, ...THIEF_FAULTS], fired, missing);
  t.same(missing.found, []);
  const atLeast = (what: string, count: number) => t.ok((seen[what] ?? 0) >= count, `${seen[what]} ${what}`);
  atLeast('spreadsChecked', 10 * SEEDS_COUNT);
  atLeast('firesSeen', SEEDS_COUNT);
  atLeast('bellsSeen', SEEDS_COUNT);
  atLeast('crowdsSeen', 1);
  atLeast('forksFound', SEEDS_COUNT);
});
