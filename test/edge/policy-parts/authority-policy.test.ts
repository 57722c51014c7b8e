import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { AuthorityFolder } from '@sparc/edge/authority';
import { nodeCrypto } from '@sparc/edge/ledger';
import { nodeRandom, verifySignature } from '@sparc/edge/platform';
import { buildContent, policyContentOf, SqlitePolicyView, validateSiteFile } from '@sparc/edge/policy';
import { AuthorityPolicy, nodePartTools, SqlitePartStore } from '@sparc/edge/policy-parts';
import { readCourier } from '@sparc/protocol/courier';
import { Beacon, BEACON_KIND, readRevision, surveyParts, type PolicyRevision } from '@sparc/protocol/policy-revision';
import { VirtualClock } from '@sparc/simulator/world';
import { SITE_FILE } from '../../support/site-file.js';

function scene(t: Test) {
  const path = mkdtempSync(join(tmpdir(), 'sparc-authority-policy-'));
  const clock = new VirtualClock({ startUnixMs: Date.parse('2026-03-02T08:00:00Z') });
  const folder = AuthorityFolder.create(path, 'harbour', { clock, random: nodeRandom, verify: verifySignature });
  const parts = SqlitePartStore.open(join(path, 'parts.db'));
  t.teardown(() => {
    parts.close();
    folder.close();
    rmSync(path, { recursive: true });
  });
  const content = (text = SITE_FILE) => policyContentOf(validateSiteFile(text, 'site.yaml'), folder.pinKey);
  return { folder, parts, policy: new AuthorityPolicy(folder.log, parts), content };
}
const namedBy = (revision: PolicyRevision, parts: SqlitePartStore) => surveyParts(nodePartTools, revision, parts);
const WITH_EVE = SITE_FILE.replace(
  '  - { id: ada, name: Ada }',
  '  - { id: ada, name: Ada }\n  - { id: eve, name: Eve }',
);

t.test('a site file becomes a revision whose parts are there, and each change the next one', async (t) => {
  const { policy, parts, content, folder } = scene(t);
  t.equal(policy.newest, undefined);
  const first = policy.sign(content());
  t.match(first, { isNew: true, revision: { number: 1, site: 'harbour', counts: { holders: 2, credentials: 3 } } });
  t.strictSame(namedBy(first.revision, parts).missing, []);
  const second = policy.sign(content(WITH_EVE));
  t.match(second, { isNew: true, revision: { number: 2, counts: { holders: 3 } } });
  t.equal(second.newPartsCount, 2, 'the part of the holders, and the index');
  t.strictSame(new AuthorityPolicy(folder.log, parts).newest, second.revision);
});

t.test('a site file that says the same is not signed again', async (t) => {
  const { policy, content, folder } = scene(t);
  policy.sign(content());
  const entries = [...folder.log.entries()].length;
  t.match(policy.sign(content(`${SITE_FILE}\n# a comment\n`)), {
    isNew: false,
    newPartsCount: 0,
    revision: { number: 1 },
  });
  t.equal([...folder.log.entries()].length, entries);
});

t.test('parts that were lost are made again from the site file', async (t) => {
  const { policy, parts, content } = scene(t);
  const { revision } = policy.sign(content());
  parts.keepOnly(new Set());
  t.throws(() => [...policy.contents()], { code: 'ERR_POLICY_PART_ABSENT' });
  t.match(policy.sign(content()), { isNew: false });
  t.strictSame(namedBy(revision, parts).missing, []);
});

t.test('parts of the newest two revisions are kept, and no others', async (t) => {
  const { policy, parts, content } = scene(t);
  const named = (name: string) => content(SITE_FILE.replace('name: Ada', `name: ${name}`));
  const [first, second, third] = [policy.sign(named('A')), policy.sign(named('B')), policy.sign(named('C'))];
  t.not(namedBy(first.revision, parts).missing.length, 0);
  t.strictSame(namedBy(second.revision, parts).missing, []);
  t.strictSame(namedBy(third.revision, parts).missing, []);
});

t.test('a beacon names the newest revision, and there is none before the first', async (t) => {
  const { policy, content, folder } = scene(t);
  t.throws(() => policy.confirm(), { code: 'ERR_POLICY_UNSIGNED' });
  policy.sign(content());
  policy.sign(content(WITH_EVE));
  t.equal(policy.confirm(), 2);
  const last = [...folder.log.entries()].at(-1);
  t.equal(last?.kind, BEACON_KIND);
  t.strictSame(Beacon.decode(last?.body ?? new Uint8Array()), { number: 2 });
});

t.test('the parts of the newest two revisions are handed on, of the older one as far as they are there', async (t) => {
  const { policy, parts, content } = scene(t);
  const named = (name: string) => content(SITE_FILE.replace('name: Ada', `name: ${name}`));
  const [first, second] = [policy.sign(named('A')), policy.sign(named('B'))];
  const hashes = () => [...policy.contents()].map((bytes) => Buffer.from(nodePartTools.sha256(bytes)).toString('hex'));
  const [older, newer] = [namedBy(first.revision, parts).named, namedBy(second.revision, parts).named];
  t.strictSame(new Set(hashes()), new Set([...newer, ...older]));
  t.strictSame(hashes().slice(0, newer.size), [...newer], 'the newest first');
  const damaged = (hash: string) => parts.put([{ hash, content: Uint8Array.of(1) }]);
  damaged([...older].find((hash) => !newer.has(hash)) ?? '');
  t.strictSame(new Set(hashes()), newer, 'without its index no more is known of the older one');
  damaged([...newer].at(-1) ?? '');
  t.throws(hashes, { code: 'ERR_POLICY_PART_ABSENT' });
});

t.test('index parts come before the parts that they name', async (t) => {
  const { policy, content } = scene(t);
  const { revision } = policy.sign(content());
  const hashes = [...policy.contents()].map((bytes) => Buffer.from(nodePartTools.sha256(bytes)).toString('hex'));
  t.strictSame(hashes.slice(0, revision.indexes.length), revision.indexes);
  t.ok(hashes.length > revision.indexes.length);
});

t.test('a courier that brings a new site secret opens for gateways that have not heard of it', async (t) => {
  const { policy, content, folder } = scene(t);
  policy.sign(content());
  const oldest = folder.siteSecret.secret;
  const opensWith = (secret: Uint8Array) => {
    const courier = folder.courier(policy.contents());
    return [...readCourier(nodeCrypto, [secret], courier, () => undefined)].length > 0;
  };
  folder.rotate();
  t.ok(opensWith(oldest) && opensWith(folder.siteSecret.secret));
  for (let rotations = 0; rotations < 16; rotations++) folder.rotate();
  t.throws(() => opensWith(oldest), { code: 'ERR_COURIER_OTHER_SITE' });
});

t.test('a store that is built from parts answers as one from the site file, and no PIN is in any part', async (t) => {
  const { policy, parts, content, folder } = scene(t);
  const { revision } = policy.sign(content());
  for (const { hash } of namedBy(revision, parts).parts) {
    const text = Buffer.from(nodePartTools.inflate(parts.get(hash) ?? new Uint8Array(), 262_144)).toString('utf8');
    for (const secret of ['"pin"', '"duressPin"', '"4711"']) t.notOk(text.includes(secret), secret);
  }
  const db = buildContent(readRevision(nodePartTools, revision, parts), { path: ':memory:', revision: 'r' });
  const view = new SqlitePolicyView(db, folder.pinKey);
  t.strictSame(view.plan, content().plan);
  t.equal(view.comparePin('card-ada', '4711'), 'right');
  t.equal(view.comparePin('card-ada', '4712'), 'wrong');
  view.close();
});
