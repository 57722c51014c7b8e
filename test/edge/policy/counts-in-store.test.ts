import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { decideEmergency } from '@sparc/edge/access';
import { loadEmergencyCredentials, SqlitePolicyView, verifyGeneration } from '@sparc/edge/policy';
import { edited, SITE_FILE } from '../../support/site-file.js';
import { cardBits, CONTEXT, REQUEST } from '../access/scene.js';
import { policyScene, type PolicyScene } from './policy-scene.js';

const generation = (scene: PolicyScene) => join(scene.dataDir, 'policy', 'generation-1.db');

t.test('a generation says which credentials have a limit, and what clearance the site asks for', async (t) => {
  const open = (text: string) => {
    const scene = policyScene(t);
    scene.apply(text);
    const view = SqlitePolicyView.open(verifyGeneration(scene.dataDir, scene.verify).current?.path ?? '', scene.pinKey);
    t.teardown(() => view.close());
    return view;
  };
  const plain = open(SITE_FILE);
  t.equal(plain.hasUseLimits, false);
  t.equal(plain.usesMax('card-chief'), undefined);
  t.equal(plain.minimumClearance, undefined);
  const limited = edited(SITE_FILE, '  - id: card-chief\n', '  - id: card-chief\n    usesMax: 3\n').text;
  const view = open(
    edited(limited, 'timeZone: Europe/Berlin', 'timeZone: Europe/Berlin, minimumClearance: [0, 2]').text,
  );
  t.equal(view.hasUseLimits, true);
  t.equal(view.usesMax('card-chief'), 3);
  t.equal(view.usesMax('card-ada'), undefined);
  t.equal(view.usesMax('nobody'), undefined);
  t.equal(view.credentialByIdentifier('h10301:123:1')?.usesMax, 3);
  t.same(view.minimumClearance, [0, 2]);
});

t.test('a generation says what a profile opens, for whoever has it', async (t) => {
  const scene = policyScene(t);
  scene.apply(SITE_FILE);
  const view = SqlitePolicyView.open(verifyGeneration(scene.dataDir, scene.verify).current?.path ?? '', scene.pinKey);
  t.teardown(() => view.close());
  t.same(view.profileRights('staff', 'front-in'), [{ profileId: 'staff', scheduleId: 'office' }]);
  t.same(view.profileRights('staff', 'lab-in'), []);
  t.same(view.profileRights('nobody', 'front-in'), []);
});

t.test('with all generations damaged, facility codes that open come from the signed emergency file', async (t) => {
  const answer = (text: string) => {
    const scene = policyScene(t);
    scene.apply(text);
    const bytes = readFileSync(generation(scene));
    bytes[5_000] = (bytes[5_000] ?? 0) ^ 1;
    writeFileSync(generation(scene), bytes);
    const emergency = loadEmergencyCredentials(scene.dataDir, scene.verify);
    if (emergency === undefined) throw new Error('the emergency file is whole');
    const card = cardBits('h10301', 123, 9_999);
    return decideEmergency({ ...REQUEST, accessPointId: 'front-in', card }, emergency, CONTEXT);
  };
  t.match(answer(SITE_FILE), { outcome: 'deny', reason: 'no_policy' });
  const degraded = edited(SITE_FILE, 'areaTo: hall', 'areaTo: hall, degradedFacilityCodes: [123]').text;
  t.match(answer(degraded), { outcome: 'grant', withoutPolicy: 'facility', credentialId: undefined });
});
