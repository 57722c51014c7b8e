import { checkFaultsFired, Violations } from '@sparc/simulator/scenarios';
import { MESH_DEFECTS, MESH_FAULTS, MeshWorld, type MeshWorldOptions } from '@sparc/simulator/site';
import { DISK_FAULTS } from '@sparc/simulator/world';
import t from 'tap';

/** `SIMULATION_SEED=42` runs one seed alone. Cost grows with the square of the gateways. */
const WORLDS: readonly MeshWorldOptions[] =
  process.env.SIMULATION_SEED === undefined
    ? [
        { seed: 1, hours: 0.015 },
        { seed: 2, hours: 0.08, gatewaysCount: 6 },
        { seed: 3, hours: 0.08, gatewaysCount: 6 },
        { seed: 4, hours: 0.08, gatewaysCount: 6 },
      ]
    : [{ seed: Number(process.env.SIMULATION_SEED), hours: 0.05 }];

/** The checker that has to object to each defect. */
const CAUGHT_BY: Readonly<Record<(typeof MESH_DEFECTS)[number], string>> = {
  lyingDisks: 'acknowledged-is-kept',
  storesTwice: 'nothing-twice',
  leavesGaps: 'in-order',
  altersEntries: 'as-committed',
  blindToForks: 'forks-are-found',
  neglectsAuthor: 'replicas-agree',
  deafToExpulsion: 'expelled-is-bounded',
};

t.test('gateways whose machines, disks and links fail all the time end with the same logs', async (t) => {
  const fired = new Map<string, number>();
  for (const options of WORLDS) {
    const { digest, counts, violations, faultsFired } = await new MeshWorld(options).run();
    t.comment(`${JSON.stringify(options)} → ${digest} ${JSON.stringify(counts)}`);
    t.same(violations, [], JSON.stringify(options));
    t.ok((counts['entries'] ?? 0) > 200 && (counts['forks'] ?? 0) > 0);
    for (const [fault, count] of faultsFired) fired.set(fault, (fired.get(fault) ?? 0) + count);
  }
  if (WORLDS.length === 1) return;
  const missing = new Violations(() => 0);
  checkFaultsFired([...MESH_FAULTS, ...DISK_FAULTS], fired, missing);
  t.same(missing.found, []);
});

t.test('one seed has one history, another seed another', async (t) => {
  const digestOf = async (seed: number) => (await new MeshWorld({ seed, hours: 0.01, gatewaysCount: 5 }).run()).digest;
  const [first, again, other] = [await digestOf(11), await digestOf(11), await digestOf(12)];
  t.equal(first, again);
  t.not(first, other);
});

for (const defect of MESH_DEFECTS) {
  t.test(`the defect ${defect} is caught by ${CAUGHT_BY[defect]}`, async (t) => {
    const { violations } = await new MeshWorld({ seed: 1, hours: 0.02, gatewaysCount: 5, defect }).run();
    t.ok(violations.some(({ checker }) => checker === CAUGHT_BY[defect]));
  });
}
