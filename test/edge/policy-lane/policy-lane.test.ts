import { readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import {
  applySiteFile,
  pinKeyOf,
  policyContentOf,
  ReplicaWatch,
  SqlitePolicyView,
  validateSiteFile,
} from '@sparc/edge/policy';
import { LANE_RETRY_MS } from '@sparc/edge/policy-lane';
import { Database, nodeRandom } from '@sparc/edge/platform';
import { PARTS_FILE } from '@sparc/edge/policy-parts';
import { REPLICA_FILE } from '@sparc/edge/replica';
import { POLICY_KIND, PolicyRevision } from '@sparc/protocol/policy-revision';
import { SITE_FILE } from '../../support/site-file.js';
import { laneScene } from './lane-scene.js';

const START_S = 1_700_000_000;
const renamed = (name: string) => SITE_FILE.replace('name: Front door', `name: ${name}`);

t.test('a revision that the authority signed comes into force under its number', async (t) => {
  const scene = laneScene(t);
  scene.sign();
  scene.bringAll();
  scene.look();
  t.match(scene.inForce(), { siteId: 'harbour', issued: { number: 1 }, revision: /^1-[0-9a-f]{16}$/ });
  t.strictSame(scene.rejections, []);
  t.match(scene.replica.look(), [{ kind: 'generation', manifest: { issued: { number: 1 } } }]);
});

t.test('two gateways name the same revision alike', async (t) => {
  const scene = laneScene(t);
  scene.sign();
  scene.bringAll();
  scene.look();
  const { revision } = scene.inForce() ?? {};
  scene.restart();
  const verify = scene.verify;
  applySiteFile({
    dataDir: scene.dataDir,
    text: SITE_FILE,
    fileName: 'site.yaml',
    signer: scene.signer,
    verify,
    random: nodeRandom,
    clock: scene.clock,
    pinKey: new Uint8Array(32),
  });
  t.not(scene.inForce()?.revision, revision);
  scene.restart();
  scene.look();
  t.equal(scene.inForce()?.revision, revision, 'what was applied by hand gives way');
});

t.test('PINs are compared under the key of the site', async (t) => {
  const scene = laneScene(t);
  scene.sign();
  scene.bringAll();
  scene.look();
  const generation = scene.generation();
  if (generation === undefined) throw new Error('nothing is in force');
  const view = SqlitePolicyView.open(generation.path, pinKeyOf(scene.dataDir, generation.manifest, nodeRandom));
  t.teardown(() => view.close());
  t.equal(view.comparePin('card-ada', '4711'), 'right');
  t.equal(view.comparePin('card-ada', '4712'), 'wrong');
});

t.test('nothing comes into force before all of its parts are here', async (t) => {
  const scene = laneScene(t);
  scene.sign();
  scene.bringLog();
  scene.look();
  scene.bringParts(2);
  scene.look();
  t.equal(scene.inForce(), undefined);
  scene.bringParts();
  scene.look();
  t.match(scene.inForce(), { issued: { number: 1 } });
  t.strictSame(scene.rejections, []);
});

t.test('a gateway goes from any revision to the newest, and never back', async (t) => {
  const scene = laneScene(t);
  scene.sign();
  scene.bringAll();
  scene.look();
  for (const name of ['Gate', 'Portal', 'Arch']) scene.sign(renamed(name));
  scene.bringAll();
  scene.look();
  t.match(scene.inForce(), { issued: { number: 4 } });
  scene.restart();
  scene.look();
  t.match(scene.inForce(), { issued: { number: 4 }, generation: 2 }, 'and it is brought into force once');
});

t.test('what is seen only after the disk has it is read then, though no file is dated later', async (t) => {
  const scene = laneScene(t);
  scene.sign();
  scene.bringAll();
  const path = join(scene.dataDir, REPLICA_FILE);
  const siteProcess = new Database(path);
  t.teardown(() => siteProcess.close());
  // A log of its own length is written over from its start.
  siteProcess.exec('create table filler (bytes blob); insert into filler values (zeroblob(1000000))');
  siteProcess.exec('pragma wal_checkpoint(restart)');
  scene.sign(renamed('Gate'));
  scene.bringParts();
  const asWritten = () => {
    utimesSync(`${path}-wal`, START_S, START_S);
    return [path, `${path}-wal`].map((file) => statSync(file)).map(({ size, mtimeMs }) => [size, mtimeMs]);
  };
  const before = asWritten();
  scene.look();
  t.match(scene.inForce(), { issued: { number: 1 } });
  scene.bringLog();
  t.strictSame(asWritten(), before);
  scene.look();
  t.match(scene.inForce(), { issued: { number: 2 } });
});

t.test('entries that the authority did not sign change nothing', async (t) => {
  const scene = laneScene(t);
  scene.sign();
  scene.bringParts();
  scene.bringLog(new Uint8Array(64));
  scene.look();
  t.equal(scene.inForce(), undefined);
  t.match(scene.rejections, [{ code: 'ERR_LEDGER_SIGNATURE_INVALID' }]);
});

t.test('a part that was changed on the disk is not believed', async (t) => {
  const scene = laneScene(t);
  scene.sign();
  scene.bringAll();
  const parts = join(scene.dataDir, PARTS_FILE);
  const db = new Database(parts);
  const rows = db.prepare('SELECT hash, content FROM part').all() as { hash: Uint8Array; content: Buffer }[];
  for (const { hash, content } of rows) {
    content[content.length >> 1] = (content[content.length >> 1] ?? 0) ^ 1;
    db.prepare('UPDATE part SET content = ? WHERE hash = ?').run(content, hash);
  }
  db.close();
  scene.look();
  t.equal(scene.inForce(), undefined);
  scene.bringParts();
  await scene.clock.advance(LANE_RETRY_MS);
  scene.look();
  t.match(scene.inForce(), { issued: { number: 1 } }, 'whole parts heal it');
});

t.test(
  'a revision on trial comes into force where it names the gateway, and elsewhere with the next one for all',
  async (t) => {
    const scene = laneScene(t);
    const { revision } = scene.sign();
    scene.bringAll();
    scene.look();
    const issue = (number: number, onlyFor: readonly string[]) => {
      const body = PolicyRevision.encode({ ...revision, number, onlyFor });
      scene.folder.log.append([{ kind: POLICY_KIND, body }]);
      scene.bringLog();
      scene.look();
    };
    issue(2, ['aa'.repeat(32)]);
    t.match(scene.inForce(), { issued: { number: 1 } });
    issue(3, [Buffer.from(scene.signer.publicKey).toString('hex')]);
    t.match(scene.inForce(), { issued: { number: 3 } });
    issue(4, []);
    t.match(scene.inForce(), { issued: { number: 4 } });
    t.strictSame(scene.rejections, []);
  },
);

t.test('a revision that is no good is rejected once, and the last good one stays in force', async (t) => {
  const scene = laneScene(t);
  const { revision } = scene.sign();
  scene.bringAll();
  scene.look();
  const append = (bad: PolicyRevision) =>
    scene.folder.log.append([{ kind: POLICY_KIND, body: PolicyRevision.encode(bad) }]);
  append({ ...revision, number: 2, layout: 99 });
  append({ ...revision, number: 3, site: 'elsewhere' });
  scene.bringLog();
  for (let looks = 0; looks < 3; looks++) {
    scene.look();
    await scene.clock.advance(LANE_RETRY_MS);
  }
  t.match(scene.inForce(), { issued: { number: 1 } });
  t.strictSame(
    scene.rejections.map(({ number, code }) => [number, code]),
    [
      [3, 'ERR_MESH_OTHER_SITE'],
      [2, 'ERR_POLICY_REVISION_LAYOUT'],
    ],
  );
  append({ ...revision, number: 4 });
  scene.folder.log.append([{ kind: POLICY_KIND, body: new Uint8Array([255, 255]) }]);
  scene.bringLog();
  scene.look();
  t.match(scene.rejections[2], { code: 'ERR_LEDGER_MALFORMED' });
  t.match(scene.inForce(), { issued: { number: 4 } }, 'a good one counts again');
});

t.test('a policy that splits a door of this gateway is rejected', async (t) => {
  const scene = laneScene(t, ['bus-a']);
  const split = SITE_FILE.replace(
    'front-button, device: front-io, number: 1',
    'front-button, device: lab-io, number: 5',
  );
  scene.sign(split);
  scene.bringAll();
  scene.look();
  t.equal(scene.inForce(), undefined);
  t.match(scene.rejections, [{ number: 1, code: 'ERR_POLICY_INVALID', message: /front-button/ }]);
});

t.test('a generation that was damaged is made again', async (t) => {
  const scene = laneScene(t);
  scene.sign();
  scene.bringAll();
  scene.look();
  scene.replica.look();
  const { path = '' } = scene.generation() ?? {};
  const bytes = readFileSync(path);
  bytes[9_000] = (bytes[9_000] ?? 0) ^ 1;
  writeFileSync(path, bytes);
  t.equal(scene.inForce(), undefined);
  scene.restart();
  scene.look();
  t.match(scene.inForce(), { issued: { number: 1 } });
  t.match(scene.replica.look(), [{ kind: 'generation', manifest: { generation: 2 } }], 'the new file is told of');
});

t.test('a beacon confirms the policy in force, also over a restart', async (t) => {
  const scene = laneScene(t);
  scene.sign();
  scene.bringAll();
  scene.look();
  const issuedUnixMs = scene.inForce()?.issued?.issuedUnixMs ?? 0;
  t.match(scene.replica.look(), [{ kind: 'generation', confirmedUnixMs: issuedUnixMs }]);
  await scene.clock.advance(3_600_000);
  scene.policy.confirm();
  scene.bringLog();
  scene.look();
  const confirmedUnixMs = issuedUnixMs + 3_600_000;
  t.match(scene.replica.look(), [{ kind: 'confirmed', revision: scene.inForce()?.revision, confirmedUnixMs }]);
  t.strictSame(scene.replica.look(), []);
  scene.restart();
  scene.look();
  t.strictSame(scene.replica.look(), [], 'heard before');
  t.match(new ReplicaWatch(scene.dataDir, scene.verify).look(), [{ kind: 'generation', confirmedUnixMs }]);
});

t.test('a beacon of a later revision does not confirm an older one', async (t) => {
  const scene = laneScene(t);
  scene.sign();
  scene.bringAll();
  scene.look();
  const issuedUnixMs = scene.inForce()?.issued?.issuedUnixMs;
  await scene.clock.advance(3_600_000);
  scene.sign(renamed('Gate'));
  scene.policy.confirm();
  // The parts of the newer one do not come.
  scene.bringLog();
  scene.look();
  t.match(scene.replica.look(), [{ kind: 'generation', confirmedUnixMs: issuedUnixMs }]);
  t.strictSame(scene.replica.look(), []);
});

t.test('after a clock that was ahead, each right beacon confirms the policy again', async (t) => {
  const scene = laneScene(t);
  const DAY_MS = 86_400_000;
  scene.clock.stepWall(9 * DAY_MS);
  scene.sign();
  scene.clock.stepWall(-9 * DAY_MS);
  scene.bringAll();
  scene.look();
  const nowUnixMs = scene.clock.wall().unixMs;
  t.match(scene.replica.look(), [{ kind: 'generation', confirmedUnixMs: nowUnixMs }], 'it was not said after now');
  for (let hours = 1; hours <= 2; hours++) {
    await scene.clock.advance(3_600_000);
    scene.policy.confirm();
    scene.bringLog();
    scene.look();
    t.match(scene.replica.look(), [{ kind: 'confirmed', confirmedUnixMs: nowUnixMs + hours * 3_600_000 }]);
  }
});

t.test('a gateway whose own clock nobody vouches for takes the word of the authority', async (t) => {
  const scene = laneScene(t);
  scene.sign();
  const issuedUnixMs = scene.clock.wall().unixMs;
  scene.clock.stepWall(-86_400_000, 'unsynced');
  scene.bringAll();
  scene.look();
  t.match(scene.replica.look(), [{ kind: 'generation', confirmedUnixMs: issuedUnixMs }]);
});

t.test('what neighbours write meanwhile makes no failed revision be tried sooner', async (t) => {
  const scene = laneScene(t);
  scene.leaveFree(0);
  scene.sign();
  scene.bringAll();
  scene.look();
  t.equal(scene.inForce(), undefined);
  t.match(scene.rejections, [{ number: 1, code: 'ERR_POLICY_DISK_RESERVE' }]);
  scene.leaveFree(Infinity);
  for (let beacons = 0; beacons < 5; beacons++) {
    await scene.clock.advance(LANE_RETRY_MS / 10);
    scene.policy.confirm();
    scene.bringLog();
    scene.look();
  }
  t.equal(scene.inForce(), undefined, 'not yet');
  await scene.clock.advance(LANE_RETRY_MS / 2);
  scene.look();
  t.match(scene.inForce(), { issued: { number: 1 } }, 'in its time, without any news');
  t.equal(scene.rejections.length, 1);
});

t.test('of two revisions that fail, each is told once', async (t) => {
  const scene = laneScene(t);
  scene.leaveFree(0);
  for (const name of ['Gate', 'Portal']) scene.sign(renamed(name));
  scene.bringAll();
  for (let looks = 0; looks < 4; looks++) {
    scene.look();
    await scene.clock.advance(LANE_RETRY_MS);
  }
  t.strictSame(
    scene.rejections.map(({ number, code }) => [number, code]),
    [
      [2, 'ERR_POLICY_DISK_RESERVE'],
      [1, 'ERR_POLICY_DISK_RESERVE'],
    ],
  );
});

t.test('replicas that cannot be believed are not read again with everything that comes', async (t) => {
  const scene = laneScene(t);
  scene.sign();
  scene.bringParts();
  scene.bringLog(new Uint8Array(64));
  scene.look();
  t.equal(scene.rejections.length, 1);
  rmSync(join(scene.dataDir, REPLICA_FILE));
  scene.bringLog();
  scene.look();
  t.equal(scene.inForce(), undefined);
  await scene.clock.advance(LANE_RETRY_MS);
  scene.look();
  t.match(scene.inForce(), { issued: { number: 1 } });
});

t.test('a revision with a time zone that is not known here is no good', async (t) => {
  const scene = laneScene(t);
  const content = policyContentOf(validateSiteFile(SITE_FILE, 'site.yaml'), scene.folder.pinKey);
  const { plan } = content;
  scene.policy.sign({ ...content, plan: { ...plan, site: { ...plan.site, timeZone: 'Mars/Olympus' } } });
  scene.bringAll();
  for (let looks = 0; looks < 2; looks++) {
    scene.look();
    await scene.clock.advance(LANE_RETRY_MS);
  }
  t.match(scene.rejections, [{ number: 1, code: 'ERR_POLICY_INVALID', message: /Mars/ }]);
});

t.test('a gateway that is a member of no site waits', async (t) => {
  const scene = laneScene(t);
  scene.look();
  t.strictSame(scene.rejections, []);
  t.notOk(readdirSync(scene.dataDir).includes('policy'));
  scene.sign();
  scene.bringAll();
  await scene.clock.advance(LANE_RETRY_MS);
  scene.look();
  t.match(scene.inForce(), { issued: { number: 1 } });
});
