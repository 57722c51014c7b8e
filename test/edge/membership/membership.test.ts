import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { PREVIOUS_SECRET_MS } from '@sparc/edge/membership';
import { signRoster } from '@sparc/protocol/roster';
import { checkProperty } from '../../support/property.js';
import { keyOf, member, rosterWith } from '../../support/roster.js';
import { TestChain } from '../../support/test-chain.js';
import { testSigner } from '../../support/test-signer.js';
import { AUTHORITY, codeOf, membershipScene, secretOf, SITE_SECRET, START } from './membership-scene.js';

t.test('a gateway that joined no site is no member', async (t) => {
  const { open } = membershipScene(t);
  t.equal(open(), undefined);
});

t.test('a member knows its site, the authority, the secret and the others, also after a restart', async (t) => {
  const { joins, opened, self, key } = membershipScene(t);
  joins();
  for (const membership of [opened(), opened()]) {
    t.equal(membership.siteId, 'harbour');
    t.strictSame(membership.authority, AUTHORITY.publicKey);
    t.strictSame(membership.siteSecrets(), { present: SITE_SECRET, previous: [] });
    t.strictSame(membership.members(), [self, member(1)]);
    t.equal(membership.newest.epoch, 4);
    const authors = [key, keyOf(1), keyOf(200), keyOf(2)].map((each) => membership.isAuthor(each));
    t.strictSame(authors, [true, true, true, false], 'members and the authority are authors');
  }
});

t.test('a newer roster counts at once, is told once, and is still there after a restart', async (t) => {
  const { joins, opened, self } = membershipScene(t);
  joins();
  const membership = opened();
  let toldCount = 0;
  const end = membership.onChange(() => (toldCount += 1));
  const newer = signRoster(AUTHORITY, rosterWith([self, member(2)], { epoch: 5 }));
  t.ok(membership.admits(keyOf(2), newer), 'who brings the roster that it is on is admitted');
  t.notOk(membership.admits(keyOf(1), newer), 'and who is on it no more is not');
  t.notOk(membership.isAuthor(keyOf(1)));
  t.equal(toldCount, 1);
  t.strictSame(opened().roster(), newer);
  end();
  membership.admits(keyOf(2), signRoster(AUTHORITY, rosterWith([self], { epoch: 6 })));
  t.equal(toldCount, 1, 'who listens no more is told no more');
});

t.test('an older roster changes nothing: who shows it is judged by the newest', async (t) => {
  const { joins, opened, signed } = membershipScene(t);
  joins();
  const membership = opened();
  membership.onChange(() => t.fail('nothing changed'));
  const older = signRoster(AUTHORITY, rosterWith([member(2)], { epoch: 3 }));
  t.notOk(membership.admits(keyOf(2), older));
  t.ok(membership.admits(keyOf(1), older));
  t.ok(membership.admits(keyOf(1), signed()));
  t.equal(membership.newest.epoch, 4);
});

t.test('an expired roster goes on counting, and so does one that expires behind it', async (t) => {
  const { joins, opened, signed } = membershipScene(t);
  joins();
  const membership = opened();
  t.ok(membership.admits(keyOf(1), signed({ epoch: 5, notAfterUnixMs: 1 })));
  t.equal(membership.newest.notAfterUnixMs, 1);
  t.equal(opened().newest.epoch, 5);
});

t.test('a forged roster and one of another site are refused, and change nothing', async (t) => {
  const { joins, opened, self, dataDir } = membershipScene(t);
  joins();
  const membership = opened();
  const path = join(dataDir, 'mesh', 'roster.bin');
  const before = readFileSync(path);
  const forged = signRoster(testSigner(201), rosterWith([self, member(2)], { epoch: 9 }));
  const elsewhere = signRoster(AUTHORITY, rosterWith([self, member(2)], { epoch: 9, site: 'airport' }));
  for (const roster of [forged, elsewhere]) {
    t.equal(
      codeOf(() => membership.admits(keyOf(2), roster)),
      'ERR_MESH_ROSTER_INVALID',
    );
  }
  t.equal(membership.newest.epoch, 4);
  t.strictSame(readFileSync(path), before);
});

t.test('in whatever order rosters come, the newest counts in the end, in memory and on disk', async (t) => {
  const arbitraryRoster = fc.record({ epoch: fc.integer({ min: 3, max: 6 }), issuedUnixMs: fc.constantFrom(1, 2) });
  checkProperty(
    fc.property(fc.array(arbitraryRoster, { minLength: 1, maxLength: 6 }), (rosters) => {
      const { joins, admission, opened, signed } = membershipScene(t);
      joins(admission(signed({ epoch: 4, issuedUnixMs: 1 })));
      const membership = opened();
      for (const roster of rosters) membership.admits(keyOf(1), signed(roster));
      const rank = ({ epoch, issuedUnixMs }: { epoch: number; issuedUnixMs: number }) => epoch * 10 + issuedUnixMs;
      const newest = Math.max(41, ...rosters.map(rank));
      t.equal(rank(membership.newest), newest);
      t.equal(rank(opened().newest), newest);
    }),
    12,
  );
  t.pass();
});

t.test('a roster that the disk refuses counts all the same, and is written when the disk takes it again', async (t) => {
  const { joins, opened, signed, dataDir, failures } = membershipScene(t);
  joins();
  const membership = opened();
  const path = join(dataDir, 'mesh', 'roster.bin');
  rmSync(path);
  mkdirSync(join(path, 'in-the-way'), { recursive: true });
  const newer = signed({ epoch: 5 });
  t.ok(membership.admits(keyOf(1), newer));
  t.equal(membership.newest.epoch, 5);
  t.equal(failures.length, 1);
  rmSync(path, { recursive: true });
  t.ok(membership.admits(keyOf(1), newer));
  t.equal(failures.length, 1);
  t.equal(opened().newest.epoch, 5);
});

t.test('a membership that is incomplete, damaged or of another authority is not used', async (t) => {
  const damages: Record<string, (dataDir: string) => void> = {
    'no roster': (dataDir) => rmSync(join(dataDir, 'mesh', 'roster.bin')),
    'half a roster': (dataDir) => {
      const path = join(dataDir, 'mesh', 'roster.bin');
      writeFileSync(path, readFileSync(path).subarray(0, 60));
    },
    'no secret': (dataDir) => rmSync(join(dataDir, 'secrets', 'site.secret')),
    'another secret than one': (dataDir) => writeFileSync(join(dataDir, 'secrets', 'site.secret'), 'abc'),
    'another authority': (dataDir) => writeFileSync(join(dataDir, 'mesh', 'authority.pub'), `${keyOf(201)}\n`),
    'no number of an authority': (dataDir) => writeFileSync(join(dataDir, 'mesh', 'authority.pub'), ''),
  };
  for (const [what, damage] of Object.entries(damages)) {
    const { joins, open, dataDir } = membershipScene(t);
    joins();
    damage(dataDir);
    t.equal(codeOf(open), 'ERR_MESH_MEMBERSHIP_DAMAGED', what);
    joins();
    t.equal(open()?.newest.epoch, 4, `${what}: joining again repairs it`);
  }
});

t.test('a site secret that others on the machine can read is not used', async (t) => {
  const { joins, open, dataDir } = membershipScene(t);
  joins();
  chmodSync(join(dataDir, 'secrets', 'site.secret'), 0o640);
  t.equal(codeOf(open), 'ERR_CONFIG_SECRET_EXPOSED');
});

t.test(
  'a newer site secret counts at once and over a restart, and the one before it is taken for a week',
  async (t) => {
    const { joins, opened } = membershipScene(t);
    joins();
    const membership = opened();
    let toldCount = 0;
    membership.onChange(() => (toldCount += 1));
    membership.takeSecret(secretOf(3), START);
    membership.takeSecret(secretOf(2), START);
    membership.takeSecret(secretOf(3), START);
    t.equal(toldCount, 1, 'older and equal ones change nothing');
    for (const each of [membership, opened()]) {
      t.strictSame(each.siteSecrets(), { present: secretOf(3).secret, previous: [SITE_SECRET] });
    }
    membership.timePasses(START + PREVIOUS_SECRET_MS - 1);
    t.equal(membership.siteSecrets().previous.length, 1);
    membership.timePasses(START + PREVIOUS_SECRET_MS);
    for (const each of [membership, opened()]) t.strictSame(each.siteSecrets().previous, []);
    t.equal(toldCount, 2);
  },
);

t.test('each secret that was replaced is taken for a week from then on, as many as may be at a time', async (t) => {
  const { joins, opened } = membershipScene(t);
  joins();
  const membership = opened();
  membership.takeSecret(secretOf(2), START);
  membership.takeSecret(secretOf(3), START + 1_000);
  for (const each of [membership, opened()]) {
    t.strictSame(each.siteSecrets().previous, [secretOf(2).secret, SITE_SECRET], 'also over two rotations');
  }
  membership.timePasses(START + PREVIOUS_SECRET_MS);
  t.strictSame(membership.siteSecrets().previous, [secretOf(2).secret], 'each has its own week');
  for (let number = 4; number <= 20; number++) membership.takeSecret(secretOf(number), START);
  for (const each of [membership, opened()]) {
    t.strictSame(
      each.siteSecrets().previous.map(([first]) => first),
      [19, 18, 17, 16, 15, 14, 13],
    );
  }
});

t.test('the secret before is forgotten as soon as all members have the new one', async (t) => {
  const { joins, opened } = membershipScene(t);
  joins();
  const membership = opened();
  membership.takeSecret(secretOf(2), START);
  membership.forgetPreviousSecrets();
  for (const each of [membership, opened()]) {
    t.strictSame(each.siteSecrets(), { present: secretOf(2).secret, previous: [] });
  }
});

t.test('a newer roster that forgets who was expelled is refused, and one that says it again is taken', async (t) => {
  const { signed, admission, joins, opened, self } = membershipScene(t);
  joins();
  const expelled = [{ key: keyOf(1), name: 'gateway-1', heads: [] }];
  const membership = opened();
  membership.takeRoster(signed({ epoch: 5, members: [self], expelled }));
  const restored = signed({ epoch: 6, members: [self, member(1)] });
  t.equal(
    codeOf(() => membership.admits(keyOf(1), restored)),
    'ERR_MESH_ROSTER_SET_BACK',
  );
  t.equal(
    codeOf(() => joins(admission(restored))),
    'ERR_MESH_ROSTER_SET_BACK',
    'nor by an admission',
  );
  for (const each of [membership, opened()]) t.equal(each.newest.epoch, 5);
  membership.takeRoster(signed({ epoch: 7, members: [self], expelled }));
  t.equal(membership.newest.epoch, 7);
});

t.test('whoever is expelled is told of once, stays an author, and has the heads that it really signed', async (t) => {
  const { joins, opened, self } = membershipScene(t);
  joins();
  const membership = opened();
  const told: string[] = [];
  membership.onChange(({ expelled }) => void told.push(...expelled.map(({ name }) => name)));
  const { head } = new TestChain(testSigner(1)).open(1);
  const forged = { ...head, epoch: { counter: 7, random: new Uint8Array(8) } };
  const expelled = [{ key: keyOf(1), name: 'gate', heads: [head, forged] }];
  for (const epoch of [5, 6]) {
    membership.takeRoster(signRoster(AUTHORITY, rosterWith([self], { epoch, expelled })));
  }
  t.strictSame(told, ['gate']);
  t.ok(membership.isAuthor(keyOf(1)));
  t.strictSame(membership.attestedHeads(keyOf(1)), [head]);
  t.equal(membership.attestedHeads(self.key), undefined);
});
