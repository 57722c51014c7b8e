import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { AuthorityFolder, ROSTER_VALID_MS } from '@sparc/edge/authority';
import { tryLock, verifySignature } from '@sparc/edge/platform';
import { MEMBERS_MAX, openAdmission } from '@sparc/protocol/roster';
import { SeededRandom, VirtualClock } from '@sparc/simulator/world';
import { keyOf, member } from '../../support/roster.js';
import { codeOf } from '../membership/membership-scene.js';

const START = Date.parse('2026-03-02T08:00:00Z');

function scene(t: Test) {
  const parent = mkdtempSync(join(tmpdir(), 'sparc-authority-'));
  t.teardown(() => rmSync(parent, { recursive: true }));
  const path = join(parent, 'harbour');
  const clock = new VirtualClock({ startUnixMs: START });
  const deps = { clock, random: new SeededRandom(1), verify: verifySignature };
  const open = () => AuthorityFolder.open(path, deps);
  return { path, clock, deps, open, create: () => AuthorityFolder.create(path, 'harbour', deps) };
}
const admitted = (seed: number, file: Uint8Array | undefined) =>
  openAdmission(verifySignature, { key: keyOf(seed), seed: new Uint8Array(32).fill(seed) }, file ?? new Uint8Array());

t.test('the authority of a new site has nobody on its roster, and its secrets are its owner’s', async (t) => {
  const { path, create, open } = scene(t);
  const { publicKey, roster } = create();
  t.match(roster, { site: 'harbour', epoch: 1, issuedUnixMs: START, notAfterUnixMs: START + ROSTER_VALID_MS });
  t.strictSame(roster.members, []);
  for (const name of ['authority.key', 'site.secret']) {
    t.equal(statSync(join(path, name)).mode & 0o777, 0o600, name);
  }
  t.strictSame(open().publicKey, publicKey);
  t.strictSame(open().roster, roster);
});

t.test('a second authority never takes the place of one that is there', async (t) => {
  const { path, create } = scene(t);
  create();
  const before = readFileSync(join(path, 'authority.key'));
  t.equal(codeOf(create), 'ERR_MESH_AUTHORITY_PRESENT');
  t.strictSame(readFileSync(join(path, 'authority.key')), before);
});

t.test('gateways that are enrolled together take the same roster and secret home', async (t) => {
  const { create, clock } = scene(t);
  const folder = create();
  await clock.advance(5_000);
  const files = folder.enrol([member(1), member(2)]);
  const [one, two] = [admitted(1, files[0]), admitted(2, files[1])];
  t.strictSame(one.authority, folder.publicKey);
  t.strictSame(one.roster, folder.roster);
  t.strictSame(one.signed, two.signed);
  t.strictSame(one.siteSecret, two.siteSecret);
  t.match(one.roster, { epoch: 2, issuedUnixMs: START + 5_000, members: [member(1), member(2)] });
});

t.test('every site has a secret of its own', async (t) => {
  const [a, b] = [scene(t), scene(t)];
  const elsewhere = AuthorityFolder.create(b.path, 'airport', { ...b.deps, random: a.deps.random });
  const secretOf = (folder: AuthorityFolder) => admitted(1, folder.enrol([member(1)])[0]).siteSecret;
  t.notSame(secretOf(a.create()), secretOf(elsewhere));
});

t.test('each enrolment adds to the roster, and one that asks again is there once, as it asked last', async (t) => {
  const { create, open } = scene(t);
  create().enrol([member(1)]);
  open().enrol([member(2)]);
  const moved = { ...member(1), addresses: ['10.9.9.9:7400'] };
  open().enrol([moved]);
  t.match(open().roster, { epoch: 4 });
  t.strictSame(open().roster.members, [moved, member(2)]);
});

t.test('what was enrolled by another command since the folder was opened is not lost', async (t) => {
  const { create, open } = scene(t);
  const [one, two] = [create(), open()];
  one.enrol([member(1)]);
  two.enrol([member(2)]);
  t.strictSame(open().roster.members, [member(1), member(2)]);
  t.equal(open().roster.epoch, 3);
});

t.test('two enrolments at once do not work on one folder', async (t) => {
  const { path, create, open } = scene(t);
  const folder = create();
  const lock = tryLock(join(path, 'authority.lock'));
  t.equal(
    codeOf(() => folder.enrol([member(1)])),
    'ERR_MESH_AUTHORITY_IN_USE',
  );
  lock?.release();
  t.strictSame(open().roster.members, []);
});

t.test('a site takes as many gateways as it may have, and not one more', async (t) => {
  const { create, open } = scene(t);
  const folder = create();
  folder.enrol(Array.from({ length: MEMBERS_MAX }, (_, index) => member(index + 1)));
  t.equal(
    codeOf(() => folder.enrol([member(100)])),
    'ERR_MESH_MEMBERS_MAX',
  );
  t.equal(open().roster.epoch, 2);
  t.equal(open().roster.members.length, MEMBERS_MAX);
  t.equal(
    codeOf(() => folder.enrol([member(1)])),
    'done',
    'one that is there can ask again',
  );
});

t.test('a key that nothing can be sealed to gets nobody onto the roster', async (t) => {
  const { create, open } = scene(t);
  const neutral = `01${'00'.repeat(31)}`;
  t.equal(
    codeOf(() => create().enrol([member(1), { ...member(2), key: neutral }])),
    'ERR_MESH_REQUEST_INVALID',
  );
  t.equal(open().roster.epoch, 1);
});

t.test('a folder that is missing, incomplete or damaged signs nothing', async (t) => {
  const damages: Record<string, (path: string) => void> = {
    'no folder': (path) => rmSync(path, { recursive: true }),
    'no key': (path) => rmSync(join(path, 'authority.key')),
    'no secret': (path) => rmSync(join(path, 'site.secret')),
    'no roster': (path) => rmSync(join(path, 'roster.bin')),
    'a roster with another byte': (path) => {
      const bytes = readFileSync(join(path, 'roster.bin'));
      writeFileSync(join(path, 'roster.bin'), bytes.fill(0xff, 20, 21));
    },
    'a key that is none': (path) => writeFileSync(join(path, 'authority.key'), 'key'),
  };
  for (const [what, damage] of Object.entries(damages)) {
    const { path, create, open } = scene(t);
    create();
    damage(path);
    t.equal(codeOf(open), 'ERR_MESH_AUTHORITY_DAMAGED', what);
  }
  const { path, create, open } = scene(t);
  create();
  chmodSync(join(path, 'authority.key'), 0o644);
  t.equal(codeOf(open), 'ERR_CONFIG_SECRET_EXPOSED');
});
