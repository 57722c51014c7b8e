import { checkFaultsFired, Violations } from '@sparc/simulator/scenarios';
import { BUS_BEHAVIOUR_FAULTS, SITE_DEFECTS, SITE_FAULTS, SiteWorld } from '@sparc/simulator/site';
import { DISK_FAULTS } from '@sparc/simulator/world';
import t from 'tap';

/** `SIMULATION_SEED=42` runs one seed alone. */
const SEEDS = process.env.SIMULATION_SEED === undefined ? [1, 2] : [Number(process.env.SIMULATION_SEED)];

/** The checker that has to object to each defect. */
const CAUGHT_BY: Readonly<Record<(typeof SITE_DEFECTS)[number], string>> = {
  lyingDisk: 'recorded-before-released',
  blindToStatus: 'only-the-entitled',
  silentReaders: 'answers-in-time',
  forgottenDenials: 'said-why',
  slowOutputs: 'egress-is-free',
  endlessRelease: 'locks-relock',
};

t.test('a site whose parts fail all the time keeps promises 1 to 4, and every kind of fault fires', async (t) => {
  const fired = new Map<string, number>();
  for (const seed of SEEDS) {
    const report = await new SiteWorld({ seed }).run();
    t.comment(`sparc simulate --world site --seed ${seed} → ${report.digest} ${JSON.stringify(report.counts)}`);
    t.same(report.violations, [], `seed ${seed}`);
    t.ok((report.counts['grants'] ?? 0) > 50 && (report.counts['denials'] ?? 0) > 50);
    for (const [fault, count] of report.faultsFired) fired.set(fault, (fired.get(fault) ?? 0) + count);
  }
  if (SEEDS.length === 1) return;
  const missing = new Violations(() => 0);
  checkFaultsFired([...SITE_FAULTS, ...DISK_FAULTS, ...BUS_BEHAVIOUR_FAULTS], fired, missing);
  t.same(missing.found, []);
});

t.test('one seed has one history, another seed another', async (t) => {
  const digestOf = async (seed: number) => (await new SiteWorld({ seed, hours: 0.2 }).run()).digest;
  const [first, again, other] = [await digestOf(11), await digestOf(11), await digestOf(12)];
  t.equal(first, again);
  t.not(first, other);
});

for (const defect of SITE_DEFECTS) {
  t.test(`the defect ${defect} is caught by ${CAUGHT_BY[defect]}`, async (t) => {
    const { violations } = await new SiteWorld({ seed: 1, hours: 0.3, defect }).run();
    t.ok(violations.some(({ checker }) => checker === CAUGHT_BY[defect]));
  });
}
