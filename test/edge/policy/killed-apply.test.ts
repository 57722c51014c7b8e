import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { SqlitePolicyView, verifyGeneration } from '@sparc/edge/policy';
import { openPolicyScene, policyScene } from './policy-scene.js';

const CHILD = join(import.meta.dirname, 'killed-apply-child.js');

t.test('a process killed at any step of an application leaves the old generation, or the new one whole', async (t) => {
  const scene = policyScene(t);
  const first = scene.apply();
  const outcomes: string[] = [];
  for (let step = 1; ; step++) {
    const dataDir = mkdtempSync(join(tmpdir(), 'sparc-killed-'));
    cpSync(scene.dataDir, dataDir, { recursive: true });
    const { signal, status, stderr } = spawnSync(process.execPath, [CHILD, dataDir, String(step)], {
      encoding: 'utf8',
    });
    const { current, rejected } = verifyGeneration(dataDir, scene.verify);
    t.strictSame(rejected, [], `step ${step}: nothing in force is damaged`);
    const isOld = current?.manifest.revision === first.revision;
    outcomes.push(isOld ? 'old' : 'new');
    t.ok(isOld || current?.manifest.generation === 2, `step ${step}`);
    const view = SqlitePolicyView.open(current?.path ?? '', scene.pinKey);
    t.equal(view.credentialByIdentifier('h10301:123:4567')?.id, 'card-ada');
    view.close();
    // The lock died with the process, and what it left behind is cleared away.
    const next = openPolicyScene(dataDir).apply();
    t.equal(verifyGeneration(dataDir, scene.verify).current?.manifest.revision, next.revision);
    t.notOk(readdirSync(join(dataDir, 'policy')).some((name) => name.endsWith('.db.tmp')));
    t.ok(existsSync(join(dataDir, 'policy', 'generation-1.db')) || !isOld);
    rmSync(dataDir, { recursive: true });
    if (signal === null) {
      t.equal(status, 0, stderr);
      break;
    }
    t.equal(signal, 'SIGKILL');
  }
  t.ok(outcomes.length > 15, `${outcomes.length} steps`);
  t.equal(outcomes[0], 'old');
  t.ok(outcomes.lastIndexOf('old') < outcomes.indexOf('new'), 'one step brings the new one into force');
});
