import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CLOUD_DEFECTS, CLOUD_FAULTS, SimulatedCloud, type CloudDefect } from '@sparc/simulator/cloud';
import { checkFaultsFired, Violations } from '@sparc/simulator/scenarios';
import { MeshWorld, type WorldReport } from '@sparc/simulator/site';
import t, { type Test } from 'tap';
import { openConnections } from '@sparc/cloud-sync/db';
import { migrated, pgliteFolder } from '../support/databases.js';

interface Run {
  readonly seed: number;
  readonly hours: number;
  readonly defect?: CloudDefect;
}

/** `SIMULATION_SEED=42` runs one seed alone. */
const RUNS: readonly Run[] =
  process.env.SIMULATION_SEED === undefined
    ? [
        { seed: 3, hours: 0.05 },
        { seed: 17, hours: 0.05 },
      ]
    : [{ seed: Number(process.env.SIMULATION_SEED), hours: 0.05 }];
const GATEWAYS_COUNT = 4;

/** The checker that has to object to each defect. */
const CAUGHT_BY: Readonly<Record<CloudDefect, string>> = {
  lyingDatabase: 'acknowledged-is-stored',
  storesTwice: 'nothing-twice',
  leavesGaps: 'in-order',
  altersEntries: 'as-committed',
  blindToForks: 'forks-are-found',
  neglectsAuthor: 'cloud-has-all',
  neverAcknowledges: 'cloud-is-known',
};

/** A database with its tables, to be copied. */
let template: Promise<string> | undefined;
async function makeTemplate(): Promise<string> {
  const folder = await pgliteFolder(t);
  const connections = await migrated(await openConnections({ url: `pglite:${folder}`, connectionsMax: 1 }));
  await connections.close();
  return folder;
}

async function run(t: Test, { seed, hours, defect }: Run): Promise<WorldReport> {
  const folder = mkdtempSync(join(tmpdir(), 'sparc-cloud-world-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  cpSync(await (template ??= makeTemplate()), folder, { recursive: true });
  const cloud = { folder, ...(defect !== undefined && { defect }) };
  return new MeshWorld({
    seed,
    hours,
    gatewaysCount: GATEWAYS_COUNT,
    cloud: (site) => SimulatedCloud.start(site, cloud),
  }).run();
}

t.test(
  'a cloud that fails all the time, and the ways to it, has in the end what the gateways have, once',
  async (t) => {
    const fired = new Map<string, number>();
    for (const options of RUNS) {
      const { digest, counts, violations, faultsFired } = await run(t, options);
      t.comment(`${JSON.stringify(options)} → ${digest} ${JSON.stringify(counts)}`);
      t.same(violations, [], JSON.stringify(options));
      const { entries = 0, cloudCarried = 0, cloudAcknowledged = 0, cloudFailed = 0 } = counts;
      t.ok(entries > 100, `${entries} entries`);
      t.ok(cloudCarried > 20, `${cloudCarried} batches of others carried`);
      t.ok(cloudAcknowledged > 200, `${cloudAcknowledged} heads acknowledged`);
      t.ok(cloudFailed > 0, `${cloudFailed} failures`);
      t.ok((counts['cloudRefused.notOfSite'] ?? 0) > 0, 'the gateway that was expelled is heard no more');
      for (const [fault, count] of faultsFired) fired.set(fault, (fired.get(fault) ?? 0) + count);
    }
    if (RUNS.length === 1) return;
    const missing = new Violations(() => 0);
    checkFaultsFired(CLOUD_FAULTS, fired, missing);
    t.same(missing.found, []);
  },
);

t.test('one seed has one history, whatever time the database takes', async (t) => {
  const digestOf = async (seed: number) => (await run(t, { seed, hours: 0.01 })).digest;
  const [first, again, other] = [await digestOf(11), await digestOf(11), await digestOf(12)];
  t.equal(first, again);
  t.not(first, other);
});

for (const defect of CLOUD_DEFECTS) {
  t.test(`the defect ${defect} of a cloud is caught by ${CAUGHT_BY[defect]}`, async (t) => {
    const { violations } = await run(t, { seed: 1, hours: 0.01, defect });
    t.ok(violations.some(({ checker }) => checker === CAUGHT_BY[defect]));
  });
}
