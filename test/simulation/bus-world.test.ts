import { checkFaultsFired, Violations } from '@sparc/simulator/scenarios';
import { BUS_DEFECTS, BUS_FAULTS, BusWorld } from '@sparc/simulator/site';
import t from 'tap';

/** `SIMULATION_SEED=42` runs one seed alone. */
const SEEDS = process.env.SIMULATION_SEED === undefined ? [1, 2] : [Number(process.env.SIMULATION_SEED)];

/** The checker that has to object to each defect. */
const CAUGHT_BY: Readonly<Record<(typeof BUS_DEFECTS)[number], string>> = {
  lateUnlock: 'locks-obey-commands',
  doubleDelivery: 'cards-arrive-once',
  lostKey: 'keys-as-typed',
  clearDevice: 'nothing-in-clear',
  deafDevice: 'devices-return',
};

t.test('readers on faulty lines keep every promise, and every kind of fault fires', async (t) => {
  const fired = new Map<string, number>();
  for (const seed of SEEDS) {
    const report = await new BusWorld({ seed, hours: 0.03 }).run();
    t.comment(
      `sparc simulate --world bus --hours 0.03 --seed ${seed} → ${report.digest} ${JSON.stringify(report.counts)}`,
    );
    t.same(report.violations, [], `seed ${seed}`);
    t.ok((report.counts['unlocksAcknowledged'] ?? 0) > 20);
    for (const [fault, count] of report.faultsFired) fired.set(fault, (fired.get(fault) ?? 0) + count);
  }
  if (SEEDS.length === 1) return;
  const missing = new Violations(() => 0);
  checkFaultsFired(BUS_FAULTS, fired, missing);
  t.same(missing.found, []);
});

t.test('one seed has one history, another seed another', async (t) => {
  const digestOf = async (seed: number) => (await new BusWorld({ seed, hours: 0.005 }).run()).digest;
  const [first, again, other] = [await digestOf(11), await digestOf(11), await digestOf(12)];
  t.equal(first, again);
  t.not(first, other);
});

for (const defect of BUS_DEFECTS) {
  t.test(`the defect ${defect} is caught by ${CAUGHT_BY[defect]}`, async (t) => {
    const { violations } = await new BusWorld({ seed: 1, hours: 0.003, defect }).run();
    t.ok(violations.some(({ checker }) => checker === CAUGHT_BY[defect]));
  });
}
