import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { joinSite, readMembership } from '@sparc/edge/membership';
import { tryLock, verifySignature } from '@sparc/edge/platform';
import { signRoster } from '@sparc/protocol/roster';
import { keyOf, member, rosterWith } from '../../support/roster.js';
import { testSigner } from '../../support/test-signer.js';
import { AUTHORITY, codeOf, membershipScene, PIN_KEY, secretOf, SITE_SECRET, START } from './membership-scene.js';

t.test('a gateway that joins has its secrets for itself alone', async (t) => {
  const { dataDir, joins } = membershipScene(t);
  t.equal(joins().roster.site, 'harbour');
  for (const name of ['site.secret', 'site-pin.key']) {
    t.equal(statSync(join(dataDir, 'secrets', name)).mode & 0o777, 0o600, name);
  }
  const record = readMembership(dataDir, verifySignature);
  t.strictSame(record?.secrets, { present: secretOf(1, 0x5e), previous: [] });
  t.strictSame(record?.pinKey, PIN_KEY);
  t.equal(readFileSync(join(dataDir, 'mesh', 'authority.pub'), 'latin1'), `${keyOf(200)}\n`);
});

t.test('an admission with a newer secret replaces the one that was there, which is taken for a while', async (t) => {
  const { admission, signed, joins, opened } = membershipScene(t);
  joins();
  joins(admission(signed({ epoch: 5 }), { siteSecret: secretOf(2) }));
  t.strictSame(opened().siteSecrets(), { present: secretOf(2).secret, previous: [SITE_SECRET] });
  joins(admission(signed({ epoch: 6 })));
  t.strictSame(opened().siteSecrets().present, secretOf(2).secret, 'an older one replaces nothing');
});

t.test('an admission brings the secrets by which members are met that have not heard of the present one', async (t) => {
  const { admission, signed, joins, opened } = membershipScene(t);
  joins(admission(signed(), { siteSecret: secretOf(3), previousSecrets: [secretOf(2).secret, SITE_SECRET] }));
  t.strictSame(opened().siteSecrets(), { present: secretOf(3).secret, previous: [secretOf(2).secret, SITE_SECRET] });
  const previousSecrets = [4, 3, 2].map((number) => secretOf(number).secret);
  joins(admission(signed({ epoch: 5 }), { siteSecret: secretOf(5), previousSecrets }));
  t.strictSame(opened().siteSecrets().previous, [...previousSecrets, SITE_SECRET], 'each is there once');
});

t.test('joining again brings what is newer, and an old admission undoes nothing', async (t) => {
  const { admission, signed, joins, opened } = membershipScene(t);
  const old = admission(signed({ epoch: 4 }), { siteSecret: secretOf(1) });
  joins(old);
  joins(old);
  t.equal(opened().newest.epoch, 4, 'the same one twice is the same');
  joins(admission(signed({ epoch: 5 })));
  t.equal(
    codeOf(() => joins(old)),
    'ERR_MESH_ADMISSION_INVALID',
  );
  t.equal(opened().newest.epoch, 5);
});

t.test('an admission for another gateway, and one that was cut, are refused and leave nothing', async (t) => {
  const { dataDir, admission, signed, joins, open } = membershipScene(t);
  for (const file of [admission(signed(), { forKey: keyOf(1) }), admission().subarray(0, 100), new Uint8Array()]) {
    t.equal(
      codeOf(() => joins(file)),
      'ERR_MESH_ADMISSION_INVALID',
    );
  }
  t.equal(open(), undefined);
  t.notOk(existsSync(join(dataDir, 'mesh')));
});

t.test('a member stays with its authority', async (t) => {
  const { self, admission, joins, opened } = membershipScene(t);
  joins();
  const other = testSigner(201);
  const roster = signRoster(other, rosterWith([self, member(1)], { epoch: 9 }));
  t.equal(
    codeOf(() => joins(admission(roster, { authority: other }))),
    'ERR_MESH_OTHER_SITE',
  );
  t.strictSame(opened().authority, AUTHORITY.publicKey);
});

t.test('a gateway with the policy of another site does not join', async (t) => {
  const { admission, joins, open } = membershipScene(t);
  t.equal(
    codeOf(() => joins(admission(), 'airport')),
    'ERR_MESH_OTHER_SITE',
  );
  t.equal(open(), undefined);
  joins(admission(), 'harbour');
  t.equal(open()?.siteId, 'harbour');
});

t.test('a gateway need not stop to join', async (t) => {
  const { dataDir, joins, open } = membershipScene(t);
  const lock = tryLock(join(dataDir, 'gateway.lock'));
  joins();
  t.equal(open()?.siteId, 'harbour');
  lock?.release();
});

t.test('a join that was cut off before its end leaves no half member, and can be done again', async (t) => {
  const { dataDir, joins, open } = membershipScene(t);
  mkdirSync(join(dataDir, 'mesh', 'authority.pub'), { recursive: true });
  t.throws(joins, 'the last of the files cannot be written');
  rmSync(join(dataDir, 'mesh', 'authority.pub'), { recursive: true });
  t.ok(existsSync(join(dataDir, 'mesh', 'roster.bin')));
  t.equal(open(), undefined);
  joins();
  t.equal(open()?.siteId, 'harbour');
});

t.test('a gateway without a key made no request, so that no admission is for it', async (t) => {
  const { admission } = membershipScene(t);
  const empty = mkdtempSync(join(tmpdir(), 'sparc-membership-'));
  t.teardown(() => rmSync(empty, { recursive: true }));
  t.equal(
    codeOf(() => joinSite(empty, verifySignature, undefined, admission(), START)),
    'ERR_MESH_ADMISSION_INVALID',
  );
});
