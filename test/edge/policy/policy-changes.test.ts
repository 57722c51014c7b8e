import { rmSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { policyChanges, readPointer } from '@sparc/edge/policy';
import type { SiteFile } from '@sparc/protocol/policy';
import { parse } from 'yaml';
import { SITE_FILE } from '../../support/site-file.js';
import { policyScene } from './policy-scene.js';

const SITE = parse(SITE_FILE) as SiteFile;

/** What a second revision is said to change. */
function changesTo(t: Parameters<typeof policyScene>[0], site: SiteFile): string {
  const scene = policyScene(t);
  scene.apply(JSON.stringify(SITE));
  const before = readPointer(scene.dataDir);
  scene.apply(JSON.stringify(site));
  return policyChanges(scene.dataDir, before);
}

t.test('the first policy is new as a whole, and the same again changes nothing', async (t) => {
  const scene = policyScene(t);
  const before = readPointer(scene.dataDir);
  scene.apply();
  t.match(policyChanges(scene.dataDir, before), /^everything/);
  t.equal(changesTo(t, SITE), 'none');
});

t.test('what a revision adds, removes and changes is counted by list of the site file', async (t) => {
  const [first, ...others] = SITE.credentials;
  const [profile, ...profiles] = SITE.accessProfiles;
  const [policy, ...policies] = profile?.policies ?? [];
  const [door, ...doors] = SITE.doors;
  if (first === undefined || profile === undefined || policy === undefined || door === undefined) {
    throw new Error('the site file lacks something');
  }
  const again = (changed: Partial<SiteFile>): string => changesTo(t, { ...SITE, ...changed });
  t.equal(again({ site: { ...SITE.site, name: 'Other' } }), 'site: 1 changed');
  t.equal(again({ doors: [{ ...door, name: 'Other' }, ...doors] }), 'doors: 1 changed');
  t.equal(again({ schedules: [...SITE.schedules, { id: 'new', name: 'New', weekly: [] }] }), 'schedules: 1 added');
  t.equal(again({ credentials: others }), 'credentials: 1 removed');
  t.equal(again({ credentials: [{ ...first, accessProfiles: [] }, ...others] }), 'credentials: 1 changed');
  t.equal(again({ credentials: [{ ...first, status: 'lost' }, ...others] }), 'credentials: 1 changed');
  t.equal(
    again({ accessProfiles: [{ ...profile, policies }, ...profiles] }),
    'accessProfiles: 1 changed',
    'a right that is gone',
  );
  t.equal(
    again({
      credentialHolders: [...SITE.credentialHolders, { id: 'new', name: 'New', status: 'active' }],
      credentials: [...others, { ...first, id: 'new', holder: 'new' }],
    }),
    'credentialHolders: 1 added; credentials: 1 added, 1 removed',
  );
});

t.test('a generation that cannot be compared is said to be so', async (t) => {
  for (const spoil of [(path: string) => rmSync(path), (path: string) => truncateSync(path, 1_000)]) {
    const scene = policyScene(t);
    scene.apply();
    const before = readPointer(scene.dataDir);
    scene.apply();
    spoil(join(scene.dataDir, 'policy', `generation-${String(before)}.db`));
    t.match(policyChanges(scene.dataDir, before), /^not known: /);
  }
});
