import {
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Database, loadIdentity, nodeRandom } from '@sparc/edge/platform';
import t from 'tap';
import {
  applyGeneration,
  loadEmergencyCredentials,
  openGeneration,
  policyContentOf,
  ReplicaWatch,
  SqlitePolicyView,
  validateSiteFile,
  verifyGeneration,
} from '@sparc/edge/policy';
import { edited, SITE_FILE } from '../../support/site-file.js';
import { policyScene, STOPPED_CLOCK, type PolicyScene } from './policy-scene.js';

const file = (scene: PolicyScene, name: string) => join(scene.dataDir, 'policy', name);
const inForce = (scene: PolicyScene) => verifyGeneration(scene.dataDir, scene.verify);

function flipBit(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(path, bytes);
}

t.test('an applied site file is in force, signed and whole', async (t) => {
  const scene = policyScene(t);
  t.strictSame(inForce(scene), { current: undefined, rejected: [] });
  const manifest = scene.apply();
  const { current, rejected } = inForce(scene);
  t.strictSame(rejected, []);
  t.strictSame(current?.manifest, manifest);
  const view = SqlitePolicyView.open(current?.path ?? '', scene.pinKey);
  t.equal(view.revision, manifest.revision);
  t.equal(view.credentialByIdentifier('h10301:123:4567')?.id, 'card-ada');
  t.equal(view.credentialByIdentifier('raw:56:04a1b2c3d4e5f6')?.id, 'card-ada');
  t.match(view.credentialByIdentifier('simplex-36:9:77'), {
    id: 'card-bob',
    issue: 2,
    holderStatus: 'suspended',
    status: 'lost',
  });
  t.strictSame(view.rights('card-ada', 'lab-in'), [{ profileId: 'lab-staff', scheduleId: 'always' }]);
  t.equal(view.comparePin('card-ada', '4711'), 'right');
  t.equal(view.comparePin('card-ada', '4712'), 'wrong');
  t.equal(view.comparePin('card-bob', ''), 'wrong');
  t.strictSame(view.credentialHolder('bob'), { id: 'bob', name: 'Bob', status: 'suspended' });
  view.close();
});

t.test('no PIN stands in any file of a generation', async (t) => {
  const scene = policyScene(t);
  const { text } = edited(SITE_FILE, 'pin: "4711"', 'pin: "8362951704"');
  scene.apply(text);
  for (const name of ['generation-1.db', 'generation-1.json', 'generation-1.emergency.json']) {
    t.notOk(readFileSync(file(scene, name)).includes('8362951704'), name);
  }
  t.equal(statSync(join(scene.dataDir, 'secrets', 'pin.key')).mode & 0o777, 0o600);
});

t.test('the two newest generations are kept', async (t) => {
  const scene = policyScene(t);
  for (let count = 0; count < 4; count++) scene.apply();
  t.strictSame(
    [1, 2, 3, 4].map((generation) => existsSync(file(scene, `generation-${generation}.db`))),
    [false, false, true, true],
  );
});

t.test('a refused site file leaves the old generation, and nothing else', async (t) => {
  const scene = policyScene(t);
  const first = scene.apply();
  t.throws(() => scene.apply(edited(SITE_FILE, 'holder: bob', 'holder: rob').text), { code: 'ERR_POLICY_INVALID' });
  t.strictSame(inForce(scene).current?.manifest, first);
  t.notOk(existsSync(file(scene, 'generation-2.db')));
});

/** What can befall the newest of two generations, and the code that names it. */
const DAMAGES: readonly (readonly [what: string, code: string, damage: (scene: PolicyScene) => void])[] = [
  ['a flipped bit in the database', 'ERR_POLICY_CORRUPT', (scene) => flipBit(file(scene, 'generation-2.db'), 5_000)],
  ['a short database', 'ERR_POLICY_CORRUPT', (scene) => truncateSync(file(scene, 'generation-2.db'), 8_192)],
  ['a missing database', 'ERR_POLICY_CORRUPT', (scene) => rmSync(file(scene, 'generation-2.db'))],
  ['a missing manifest', 'ERR_POLICY_CORRUPT', (scene) => rmSync(file(scene, 'generation-2.json'))],
  ['an empty manifest', 'ERR_POLICY_CORRUPT', (scene) => truncateSync(file(scene, 'generation-2.json'), 0)],
  [
    'a changed manifest',
    'ERR_POLICY_NOT_AUTHENTIC',
    (scene) => {
      const path = file(scene, 'generation-2.json');
      writeFileSync(path, readFileSync(path, 'utf8').replace('"siteId":"harbour"', '"siteId":"harbouR"'));
    },
  ],
  [
    'the files of another generation',
    'ERR_POLICY_NOT_AUTHENTIC',
    (scene) => {
      for (const end of ['db', 'json']) {
        writeFileSync(file(scene, `generation-2.${end}`), readFileSync(file(scene, `generation-1.${end}`)));
      }
    },
  ],
  ['a damaged pointer', 'ERR_POLICY_CORRUPT', (scene) => writeFileSync(file(scene, 'current'), '\0\0')],
];

for (const [what, code, damage] of DAMAGES) {
  t.test(`${what} is reported, and the newest generation that holds is used`, async (t) => {
    const scene = policyScene(t);
    const first = scene.apply();
    const second = scene.apply();
    damage(scene);
    const { current, rejected } = inForce(scene);
    t.equal(current?.manifest.revision, (what === 'a damaged pointer' ? second : first).revision);
    t.equal(rejected.length, 1);
    t.equal(rejected[0]?.code, code);
    // Applying again heals it.
    const third = scene.apply();
    t.strictSame(inForce(scene), {
      current: { path: file(scene, `generation-${third.generation}.db`), manifest: third },
      rejected: [],
    });
  });
}

t.test('with all generations damaged the emergency credentials and the plan are left', async (t) => {
  const scene = policyScene(t);
  scene.apply();
  flipBit(file(scene, 'generation-1.db'), 5_000);
  t.equal(inForce(scene).current, undefined);
  const emergency = loadEmergencyCredentials(scene.dataDir, scene.verify);
  t.match(emergency?.emergencyCredential('h10301:123:1', 'front-in'), { credentialId: 'card-chief' });
  t.equal(emergency?.emergencyCredential('h10301:123:1', 'lab-in'), undefined);
  t.equal(emergency?.emergencyCredential('h10301:123:4567', 'front-in'), undefined);
  t.same(emergency?.plan.doors.map(({ id }) => id) ?? [], ['front', 'lab']);
  t.strictSame(emergency?.cardFormats, emergency?.plan.cardFormats);
});

t.test('emergency credentials that somebody else signed do not count', async (t) => {
  const scene = policyScene(t);
  const stranger = policyScene(t);
  scene.apply();
  stranger.apply();
  const name = 'generation-1.emergency.json';
  writeFileSync(file(scene, name), readFileSync(file(stranger, name)));
  t.equal(loadEmergencyCredentials(scene.dataDir, scene.verify), undefined);
});

t.test('a manifest does not pass for a file of emergency credentials', async (t) => {
  const scene = policyScene(t);
  scene.apply();
  writeFileSync(file(scene, 'generation-1.emergency.json'), readFileSync(file(scene, 'generation-1.json')));
  t.equal(loadEmergencyCredentials(scene.dataDir, scene.verify), undefined);
});

t.test('the replica tells each change once', async (t) => {
  const scene = policyScene(t);
  const replica = new ReplicaWatch(scene.dataDir, scene.verify);
  t.strictSame(replica.look(), [{ kind: 'none' }]);
  t.strictSame(replica.look(), []);
  const manifest = scene.apply();
  t.strictSame(replica.look(), [
    {
      kind: 'generation',
      path: file(scene, 'generation-1.db'),
      manifest,
      confirmedUnixMs: manifest.appliedUnixMs,
    },
  ]);
  t.strictSame(replica.look(), []);
  scene.apply();
  flipBit(file(scene, 'generation-2.db'), 5_000);
  // It stays with the first, which it has told of already.
  t.match(replica.look(), [{ kind: 'rejected', code: 'ERR_POLICY_CORRUPT' }]);
  t.strictSame(replica.look(), []);
});

t.test('while one process applies, another is told so at once', async (t) => {
  const scene = policyScene(t);
  const first = scene.apply();
  const other = new Database(file(scene, 'apply.lock'));
  other.exec('BEGIN EXCLUSIVE');
  t.throws(() => scene.apply(), { code: 'ERR_POLICY_APPLY_BUSY' });
  other.close();
  t.strictSame(inForce(scene).current?.manifest, first);
  t.equal(scene.apply().generation, 2);
});

t.test('a generation that cannot be written leaves the old one, and says so', async (t) => {
  const scene = policyScene(t);
  const first = scene.apply();
  // A directory where the lock should be: the folder takes no lock.
  renameSync(file(scene, 'apply.lock'), file(scene, 'apply.lock.old'));
  mkdirSync(file(scene, 'apply.lock'));
  t.throws(() => scene.apply(), { code: 'ERR_POLICY_WRITE_FAILED' });
  t.strictSame(inForce(scene).current?.manifest, first);
});

t.test('a defect is thrown as it is, for another try does not mend it', async (t) => {
  const scene = policyScene(t);
  const first = scene.apply();
  const { dataDir, verify, pinKey } = scene;
  const content = policyContentOf(validateSiteFile(SITE_FILE, 'site.yaml'), pinKey);
  const defect = new TypeError('a defect');
  const broken = {
    ...content,
    get credentials(): never {
      throw defect;
    },
  };
  const options = { dataDir, verify, signer: loadIdentity(dataDir), random: nodeRandom, clock: STOPPED_CLOCK };
  t.throws(() => applyGeneration(options, broken), defect);
  t.strictSame(inForce(scene).current?.manifest, first);
});

t.test('a generation of another layout is refused by its own code', async (t) => {
  const scene = policyScene(t);
  scene.apply();
  const db = new Database(file(scene, 'generation-1.db'));
  db.pragma('user_version = 99');
  db.close();
  t.throws(() => openGeneration(file(scene, 'generation-1.db')), { code: 'ERR_POLICY_SCHEMA_VERSION' });
  writeFileSync(file(scene, 'generation-1.db'), 'no database at all');
  t.throws(() => openGeneration(file(scene, 'generation-1.db')), { code: 'ERR_POLICY_CORRUPT' });
});
