import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { SqlitePolicyView, verifyGeneration } from '@sparc/edge/policy';
import { APPLICATIONS } from './killed-apply-scene.js';
import { policyScene, type PolicyScene } from './policy-scene.js';

const CHILD = join(import.meta.dirname, 'killed-apply-child.js');
/** More than an application has: the child ends by itself from some step on. */
const STEPS_MAX = 100;

type Kind = keyof typeof APPLICATIONS;

/** Kills an application at a step, and says which generation is in force then. */
async function killedAt(t: Test, scene: PolicyScene, kind: Kind, step: number): Promise<'old' | 'new' | 'ended'> {
  const dataDir = mkdtempSync(join(tmpdir(), 'sparc-killed-'));
  cpSync(scene.dataDir, dataDir, { recursive: true });
  const child = spawn(process.execPath, [CHILD, dataDir, String(step), kind], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [status, signal] = (await once(child, 'exit')) as [number | null, string | null];
  const { current, rejected } = verifyGeneration(dataDir, scene.verify);
  t.strictSame(rejected, [], `step ${step}: nothing in force is damaged`);
  const view = SqlitePolicyView.open(current?.path ?? '', scene.pinKey);
  t.ok(view.credentialByIdentifier(APPLICATIONS[kind].identifierKey), `step ${step}: it answers`);
  view.close();
  // The lock died with the process, and what it left behind is cleared away.
  const next = APPLICATIONS[kind].apply(dataDir);
  t.strictSame(verifyGeneration(dataDir, scene.verify).current?.manifest, next);
  t.notOk(readdirSync(join(dataDir, 'policy')).some((name) => name.endsWith('.db.tmp')));
  rmSync(dataDir, { recursive: true });
  if (signal === null) t.equal(status, 0, 'ends in order');
  if (signal === null) return 'ended';
  return current?.manifest.generation === 1 ? 'old' : 'new';
}

for (const kind of Object.keys(APPLICATIONS) as Kind[]) {
  t.test(
    `a process killed at any step of applying ${kind} leaves the old generation, or the new one whole`,
    async (t) => {
      const scene = policyScene(t);
      APPLICATIONS[kind].begin(scene.dataDir);
      const outcomes: string[] = [];
      let nextStep = 1;
      const killOn = async () => {
        while (nextStep <= STEPS_MAX && !outcomes.includes('ended')) {
          const step = nextStep++;
          outcomes[step - 1] = await killedAt(t, scene, kind, step);
        }
      };
      await Promise.all([killOn(), killOn()]);
      t.ok(outcomes.length > 15, `${outcomes.length} steps`);
      t.equal(outcomes[0], 'old');
      t.match(outcomes.join(' '), /^(old )+(new )+(ended ?)+$/, 'one step brings the new one into force');
    },
  );
}
