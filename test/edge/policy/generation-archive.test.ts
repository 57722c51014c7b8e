import { existsSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { archiveGeneration, archiveOf, findRevision, SqlitePolicyView, verifyGeneration } from '@sparc/edge/policy';
import { policyScene, type PolicyScene } from './policy-scene.js';

const databaseIn = (folder: string, generation: number) => join(folder, 'policy', `generation-${generation}.db`);
const archived = (scene: PolicyScene, count: number) =>
  Array.from({ length: count }, (_, index) => index + 1).filter((generation) =>
    existsSync(databaseIn(archiveOf(scene.dataDir), generation)),
  );

t.test('a generation that is no longer wanted can still be asked, and never comes into force', async (t) => {
  const scene = policyScene(t);
  const [first, second] = [scene.apply(), scene.apply(), scene.apply(), scene.apply()];
  t.same(archived(scene, 4), [1, 2]);
  for (const { revision } of [first, second]) {
    const view = SqlitePolicyView.open(findRevision(scene.dataDir, revision, scene.verify).path, scene.pinKey);
    t.equal(view.revision, revision);
    view.close();
  }
  for (const generation of [3, 4]) rmSync(databaseIn(scene.dataDir, generation));
  t.equal(verifyGeneration(scene.dataDir, scene.verify).current, undefined, 'damaged ones do not bring it back');
});

t.test('the archive keeps the newest that fit', async (t) => {
  const scene = policyScene(t);
  for (let count = 0; count < 4; count++) scene.apply();
  const { size } = statSync(databaseIn(scene.dataDir, 3));
  archiveGeneration(scene.dataDir, 3, 2.5 * size);
  t.same(archived(scene, 4), [2, 3]);
  archiveGeneration(scene.dataDir, 4, size / 2);
  t.same(archived(scene, 4), []);
  t.throws(() => findRevision(scene.dataDir, '1-0', scene.verify), { code: 'ERR_POLICY_REVISION_ABSENT' });
});

t.test('a generation that was half moved when the power went is moved whole by the next attempt', async (t) => {
  const scene = policyScene(t);
  const [{ revision }] = [scene.apply(), scene.apply()];
  const archive = archiveOf(scene.dataDir);
  mkdirSync(join(archive, 'policy'), { recursive: true });
  renameSync(databaseIn(scene.dataDir, 1), databaseIn(archive, 1));
  t.throws(() => findRevision(scene.dataDir, revision, scene.verify), { code: 'ERR_POLICY_REVISION_ABSENT' });
  archiveGeneration(scene.dataDir, 1);
  t.equal(findRevision(scene.dataDir, revision, scene.verify).path, databaseIn(archive, 1));
});

t.test('a policy comes into force though nothing can be archived', async (t) => {
  const scene = policyScene(t);
  writeFileSync(archiveOf(scene.dataDir), 'in the way');
  const revisions = [scene.apply(), scene.apply(), scene.apply()].map(({ revision }) => revision);
  t.equal(verifyGeneration(scene.dataDir, scene.verify).current?.manifest.revision, revisions[2]);
  t.notOk(existsSync(databaseIn(scene.dataDir, 1)));
});
