import { checkFaultsFired, Violations } from '@sparc/simulator/scenarios';
import { THIEF_FAULTS, TOWN_FAULTS, TownWorld } from '@sparc/simulator/site';
import t from 'tap';

const SEED = 7;
/** Half as busy as in the seeds of two hours: three days see enough. */
const PACE = 0.25;

t.test('a town is without a cloud for three days, and keeps every promise', async (t) => {
  const { digest, counts, violations, faultsFired } = await new TownWorld({ seed: SEED, hours: 72, pace: PACE }).run();
  t.comment(
    `sparc simulate --world town --seed ${SEED} --pace ${PACE} --hours 72 → ${digest} ${JSON.stringify(counts)}`,
  );
  t.same(violations, []);
  const missing = new Violations(() => 0);
  checkFaultsFired([...TOWN_FAULTS, ...THIEF_FAULTS], faultsFired, missing);
  t.same(missing.found, []);
});
