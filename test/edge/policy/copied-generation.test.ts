import { createHash } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { CredentialHolder, HashedCredential, PolicyContent } from '@sparc/protocol/policy';
import { card, copyScene, everybody, IDS, person, type CopyScene } from './copy-scene.js';

/** Of the rows of some people, as builder 1 makes them. */
const PEOPLE_ROWS_SHA256 = 'a5f5bb1a66616b3204337cf9c8d83a82977ca91a14ae07c5723d1e3d32aa98c6';

const ID = IDS[42] ?? '';
const OTHER = IDS[77] ?? '';
const withHolder = (id: string, rest: Partial<CredentialHolder>): PolicyContent =>
  everybody({ holders: IDS.map((each) => person(each, each === id ? rest : {})) });
const withCard = (id: string, rest: Partial<HashedCredential>): PolicyContent =>
  everybody({ credentials: IDS.map((each) => card(each, each === id ? rest : {})) });
const without = (id: string) => (record: { readonly id: string }) => record.id !== id;
const [labStaff, staff] = everybody().profiles;
const { plan } = everybody();
const ofSite = (rest: Partial<PolicyContent['plan']['site']>) =>
  everybody({ plan: { ...plan, site: { ...plan.site, ...rest } } });
if (staff === undefined || labStaff === undefined) throw new Error('the site has two profiles');

/** What is in force after `content` was applied, which came into being `how`, is what is built from nothing. */
function becomes(t: Test, scene: CopyScene, content: PolicyContent, how: 'copied' | 'whole'): void {
  const before = scene.inForce()?.generation;
  const manifest = scene.apply(content);
  t.equal(manifest.copyOf, how === 'copied' ? before : undefined, how);
  t.strictSame(scene.inForce(), manifest);
  const rows = scene.rows(manifest);
  rmSync(join(scene.dataDir, 'policy'), { recursive: true });
  t.strictSame(rows, scene.rows(scene.apply(content)), 'row for row');
}

const CHANGES: Readonly<Record<string, readonly [PolicyContent, 'copied' | 'whole']>> = {
  nothing: [everybody(), 'copied'],
  'the name of a holder': [withHolder(ID, { name: 'Ada' }), 'copied'],
  'the status and clearance of a holder': [
    withHolder(ID, { status: 'suspended', clearance: 3, escortRequired: true }),
    'copied',
  ],
  'what opens for a credential': [withCard(ID, { status: 'blocked', usesMax: 2, accessProfiles: [] }), 'copied'],
  'a card that another person had': [
    everybody({
      credentials: IDS.map((id) => {
        if (id === ID) return card(id, { identifiers: [{ bits: 56, value: '04a2b3c4d5e680' }] });
        return card(id, id === OTHER ? { identifiers: [...card(ID).identifiers, ...card(OTHER).identifiers] } : {});
      }),
    }),
    'copied',
  ],
  'a person who left': [
    everybody({ holders: everybody().holders, credentials: IDS.map((id) => card(id)).filter(without(ID)) }),
    'copied',
  ],
  'the first and the last who left': [
    everybody({
      holders: IDS.slice(1, -1).map((id) => person(id)),
      credentials: IDS.slice(1, -1).map((id) => card(id)),
    }),
    'copied',
  ],
  'a new person': [
    everybody({
      holders: [...IDS, `${ID}z`].sort().map((id) => person(id)),
      credentials: [...IDS, `${ID}z`]
        .sort()
        .map((id) => card(id, id.endsWith('z') ? { identifiers: [{ bits: 56, value: '04' }] } : {})),
    }),
    'copied',
  ],
  'what a profile opens': [everybody({ profiles: [labStaff, { ...staff, policies: [] }] }), 'copied'],
  'the name of the site': [ofSite({ name: 'Harbour Road' }), 'copied'],
  'the time zone': [ofSite({ timeZone: 'Asia/Tokyo' }), 'whole'],
  'the number of profiles': [
    everybody({ profiles: [{ id: 'cleaners', name: 'Cleaners', policies: [] }, labStaff, staff] }),
    'whole',
  ],
  'most people': [everybody({ holders: IDS.map((id) => person(id, { name: 'X' })) }), 'whole'],
};

for (const [what, [content, how]] of Object.entries(CHANGES)) {
  t.test(
    `a policy that differs in ${what} is ${how === 'copied' ? 'made of the one before' : 'built from nothing'}`,
    async (t) => {
      const scene = copyScene(t);
      scene.apply(everybody());
      becomes(t, scene, content, how);
    },
  );
}

t.test('a damaged generation gives nothing to the next', async (t) => {
  const scene = copyScene(t);
  const { generation } = scene.apply(everybody());
  const bytes = readFileSync(scene.fileOf(generation, 'db'));
  const at = bytes.indexOf('Holder');
  bytes.write('Wilder', at);
  writeFileSync(scene.fileOf(generation, 'db'), bytes);
  becomes(t, scene, withHolder(ID, { name: 'Ada' }), 'whole');
});

t.test('what another builder made, or a version that does not say of what, is built from nothing', async (t) => {
  for (const sql of [
    "UPDATE made_of SET built_by = 'another'",
    'DROP TABLE made_of',
    "UPDATE made_of SET parts = '7'",
  ]) {
    const scene = copyScene(t);
    scene.forge(scene.apply(everybody()), sql);
    becomes(t, scene, withHolder(ID, { name: 'Ada' }), 'whole');
  }
});

t.test('people who are not those of the parts are not taken over', async (t) => {
  const noCards = `DELETE FROM credential_identifier; DELETE FROM credential_access_profile; DELETE FROM credential`;
  const noHolder = `PRAGMA foreign_keys = OFF; DELETE FROM credential_holder WHERE id = '${OTHER}'`;
  for (const sql of [noCards, noHolder]) {
    const scene = copyScene(t);
    scene.forge(scene.apply(everybody()), sql);
    becomes(t, scene, withHolder(ID, { name: 'Ada' }), 'whole');
  }
});

const REFUSED: Readonly<Record<string, PolicyContent>> = {
  'a holder whose credential is still there': everybody({
    holders: IDS.filter((id) => id !== ID).map((id) => person(id)),
  }),
  'a card that a person who stays has': withCard(ID, { identifiers: card(OTHER).identifiers }),
  'a profile that is not there': withCard(ID, { accessProfiles: ['nobody'] }),
};

for (const [what, content] of Object.entries(REFUSED)) {
  t.test(`a change is refused for ${what}, and the policy in force stays`, async (t) => {
    const scene = copyScene(t);
    const before = scene.apply(everybody());
    t.throws(() => scene.apply(content), { code: 'ERR_POLICY_INVALID' });
    t.strictSame(scene.inForce(), before);
  });
}

t.test('the builder makes of people what it made when it got its number', async (t) => {
  const scene = copyScene(t);
  const rows = scene.rows(
    scene.apply(
      everybody({
        holders: IDS.map((id) =>
          person(id, id === ID ? { status: 'suspended', clearance: 2, escortRequired: true } : {}),
        ),
        credentials: IDS.map((id) => {
          if (id === OTHER) return card(id, { validFrom: '2026-03-29T02:30', validTo: '2026-10-25', holder: ID });
          if (id !== ID) return card(id);
          const pin = {
            pinHash: 'A'.repeat(43),
            duressPinHash: 'B'.repeat(43),
            pinIdentifierKeys: [`pin:${'C'.repeat(43)}`],
          };
          const identifiers = [
            { format: 'h10301', facility: 1, number: 2 },
            { format: 'simplex-36', facility: 1, number: 2, issue: 3 },
          ];
          return card(id, { ...pin, identifiers, override: true, usesMax: 3, extendedTime: true, status: 'lost' });
        }),
      }),
    ),
  );
  const tables = ['credential_holder', 'credential', 'credential_identifier', 'credential_access_profile'];
  const sha256 = createHash('sha256')
    .update(JSON.stringify(tables.map((table) => rows[table])))
    .digest('hex');
  t.equal(sha256, PEOPLE_ROWS_SHA256, 'raise BUILDER in edge/policy/made-of.ts, and put this digest here');
});
