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
  readonly keptMs?: number;
  /** Machines do not wait for that. */
  readonly isEager?: boolean;
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

async function run(t: Test, { seed, hours, defect, keptMs, isEager }: Run): Promise<WorldReport> {
  const folder = mkdtempSync(join(tmpdir(), 'sparc-cloud-world-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  cpSync(await (template ??= makeTemplate()), folder, { recursive: true });
  const cloud = { folder, ...(defect !== undefined && { defect }) };
  return new MeshWorld({
    seed,
    hours,
    gatewaysCount: GATEWAYS_COUNT,
    ...(keptMs !== undefined && { keptMs }),
    ...(isEager === true && { defect: 'emptiesEarly' }),
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

/** Longer than a cloud is set back: by what it has of six minutes at 90 s, when 216 s are over. */
const KEPT_MS = 150_000;

t.test('while gateways empty what the cloud has, all agree, and it is in the cloud', async (t) => {
  for (const { seed } of RUNS.slice(0, 1)) {
    const { digest, counts, violations } = await run(t, { seed, hours: 0.1, keptMs: KEPT_MS });
    t.comment(`${seed} → ${digest} ${JSON.stringify(counts)}`);
    t.same(violations, [], `SIMULATION_SEED=${seed}`);
    t.ok((counts.emptied ?? 0) > 200, `${counts.emptied} entries were emptied`);
  }
});

t.test(
  'gateways that do not wait lose what a restored cloud has lost, and are caught by bodies-are-kept',
  async (t) => {
    const { violations, counts } = await run(t, { seed: 3, hours: 0.1, keptMs: KEPT_MS, isEager: true });
    t.ok((counts.cloudEmptied ?? 0) > 0, 'and the cloud takes what is left, and says so');
    t.ok(violations.some(({ checker }) => checker === 'bodies-are-kept'));
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
