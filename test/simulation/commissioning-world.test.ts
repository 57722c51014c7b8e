import { checkFaultsFired, Violations } from '@sparc/simulator/scenarios';
import { COMMISSIONING_DEFECTS, COMMISSIONING_QUIRKS, CommissioningWorld } from '@sparc/simulator/site';
import t from 'tap';

/** `SIMULATION_SEED=42` runs one seed alone. */
const SEEDS = process.env.SIMULATION_SEED === undefined ? [1, 5] : [Number(process.env.SIMULATION_SEED)];
const HOURS = 0.01;

t.test(
  'readers from their box are found, addressed and keyed, whatever their quirks, and only in windows',
  async (t) => {
    const fired = new Map<string, number>();
    for (const seed of SEEDS) {
      const { digest, violations, counts, faultsFired } = await new CommissioningWorld({ seed, hours: HOURS }).run();
      t.comment(
        `sparc simulate --world commissioning --hours ${HOURS} --seed ${seed} → ${digest} ${JSON.stringify(counts)}`,
      );
      t.same(violations, [], `seed ${seed}`);
      t.ok((counts['commissioned'] ?? 0) >= COMMISSIONING_QUIRKS.length - 1);
      for (const [fault, count] of faultsFired) fired.set(fault, (fired.get(fault) ?? 0) + count);
    }
    if (SEEDS.length === 1) return;
    const missing = new Violations(() => 0);
    checkFaultsFired(COMMISSIONING_QUIRKS, fired, missing);
    t.same(missing.found, []);
  },
);

/** What has to be objected to with each defect. */
const CAUGHT_BY: Readonly<Record<(typeof COMMISSIONING_DEFECTS)[number], readonly [checker: string, what: RegExp]>> = {
  openedByNobody: ['nothing-in-clear', /SCBK-D|key outside/],
  neverClosed: ['nothing-in-clear', /SCBK-D/],
  anotherKey: ['commissioning', /another key/],
};

for (const defect of COMMISSIONING_DEFECTS) {
  const [caughtBy, pattern] = CAUGHT_BY[defect];
  t.test(`the defect ${defect} is caught by ${caughtBy}`, async (t) => {
    const { violations } = await new CommissioningWorld({ seed: 1, hours: 0, defect }).run();
    t.ok(violations.some(({ checker, what }) => checker === caughtBy && pattern.test(what)));
  });
}
