import { Readable } from 'node:stream';
import t from 'tap';
import { nodeCrypto, pinMac } from '@sparc/cloud-sync/platform';
import { decodeSignedDirective, openDirective } from '@sparc/protocol/directive';
import { decodeEvent, EVENT_KIND } from '@sparc/protocol/ledger';
import type { PolicyContent } from '@sparc/protocol/policy';
import { courseOf } from '@sparc/protocol/policy-revision';
import { contentOfSite } from '@sparc/protocol/site-check';
import { validateSiteFile } from '@sparc/edge/policy';
import { keyOf, member } from '../../support/roster.js';
import { SITE_FILE } from '../../support/site-file.js';
import { deskScene } from './desk-scene.js';

const by = 'grace';
const siteFile = (site: string) => SITE_FILE.replace('id: harbour', `id: ${site}`);
const plain = ({ plan, emergencyCredentials, profiles, holders, credentials }: PolicyContent) => ({
  plan,
  emergencyCredentials,
  profiles: [...profiles],
  holders: [...holders],
  credentials: [...credentials],
});
const ordered = ({ plan, ...content }: ReturnType<typeof plain>) => ({
  ...content,
  plan: Object.fromEntries(
    Object.entries(plan).map(([list, value]) => [
      list,
      Array.isArray(value) ? new Set((value as object[]).map((each) => JSON.stringify(sortedKeys(each)))) : value,
    ]),
  ),
});

t.test('the policy desk', async (t) => {
  const scene = await deskScene();

  await t.test('what is published is what a gateway makes of the same site file', async (t) => {
    const { desk, authority, course, contentOf } = await scene.newSite('same');
    t.match(await desk.imported(siteFile('same'), by), { created: 30, changed: 0, removed: 0 });
    t.strictSame(await desk.problems(), []);
    t.strictSame(await desk.publish({ by }), { number: 1, isNew: true });
    const [{ revision } = fail()] = (await course()).revisions;
    const mac = pinMac(await authority.pinKey());
    const expected = contentOfSite(validateSiteFile(siteFile('same'), 'site.yaml'), mac);
    t.strictSame(ordered(plain(await contentOf(revision))), ordered(plain(expected)));
    t.strictSame(await desk.publish({ by }), { number: 1, isNew: false }, 'and it is not published twice');
    t.match(await desk.revisions(), [{ number: 1, publishedBy: by }]);
  });

  await t.test('the difference names what was added, changed and removed since, and no secret', async (t) => {
    const { desk, draft } = await scene.newSite('differs');
    await desk.imported(siteFile('differs'), by);
    const all = await desk.changes(1_000);
    t.equal(all.since, undefined);
    t.match(all.counts, { credentials: { added: 3, changed: 0, removed: 0 }, schedules: { added: 1 } });
    await desk.publish({ by });
    t.strictSame(await desk.changes(9), { since: 1, counts: {}, changes: [], isMore: false });
    await draft.put('credentialHolders', 'cy', { id: 'cy', name: 'Cy' }, { by });
    const card = await draft.get('credentials', 'card-ada');
    await draft.put('credentials', 'card-ada', { ...(card.body as object), pin: '4712' }, { version: 1, by });
    await draft.remove('credentials', 'card-bob', { version: 1, by });
    const { changes } = await desk.changes(9);
    t.strictSame(changes, [
      { kind: 'credentialHolders', id: 'cy', name: 'Cy', change: 'added', fields: [] },
      { kind: 'credentials', id: 'card-ada', change: 'changed', fields: ['pin'] },
      { kind: 'credentials', id: 'card-bob', change: 'removed', fields: [] },
    ]);
    t.match(await desk.changes(1), { changes: { length: 1 }, isMore: true, counts: { credentials: { removed: 1 } } });
  });

  await t.test('a draft that somebody changes while it is published is not published', async (t) => {
    const { desk, draft, course } = await scene.newSite('meanwhile');
    await desk.imported(siteFile('meanwhile'), by);
    const publishing = t.rejects(desk.publish({ by }), { code: 'ERR_POLICY_DRAFT_STALE' });
    // Behind the look for revocations, and before what comes after it: one after another, in the order in which they asked.
    await draft.counts();
    await draft.put('credentialHolders', 'cy', { id: 'cy', name: 'Cy' }, { by });
    await publishing;
    t.strictSame((await course()).revisions, []);
    t.strictSame(await desk.publish({ by }), { number: 1, isNew: true });
  });

  await t.test('a draft that does not hold together says where, and is not published', async (t) => {
    const { desk, draft } = await scene.newSite('broken');
    t.match(await desk.problems(), [{ kind: 'site', message: 'is missing' }, { kind: 'cardFormats' }]);
    await desk.imported(siteFile('broken'), by);
    const { body, version } = await draft.get('doors', 'front');
    await draft.put('doors', 'front', { ...(body as object), contact: { input: 'nothing' } }, { version, by });
    const problems = await desk.problems();
    t.match(problems, [{ kind: 'doors', id: 'front', path: 'contact.input', message: /`nothing`/ }]);
    await t.rejects(desk.publish({ by }), { code: 'ERR_POLICY_INVALID', details: { problems } });
    await t.rejects(desk.changes(9), { code: 'ERR_POLICY_INVALID' });
    t.strictSame(await desk.revisions(), []);
    await desk.imported(siteFile('other'), by);
    t.match(await desk.problems(), [{ kind: 'site', path: 'id', message: 'is not `broken`' }]);
  });

  await t.test('a draft that somebody changed since it was looked at is not published', async (t) => {
    const { desk, draft } = await scene.newSite('looked-at');
    await desk.imported(siteFile('looked-at'), by);
    const { version } = await draft.counts();
    await draft.put('credentialHolders', 'cy', { id: 'cy', name: 'Cy' }, { by });
    await t.rejects(desk.publish({ by, version }), { code: 'ERR_POLICY_DRAFT_STALE' });
    t.match(await desk.publish({ by, version: version + 1 }), { number: 1 });
  });

  await t.test('a trial is for its gateways, and is then for all, or taken back', async (t) => {
    const { desk, draft, course, authority } = await scene.newSite('trial');
    const [canary, other] = [keyOf(71), keyOf(72)];
    await authority.enrol([member(71), member(72)]);
    const newest = async (key: string) => courseOf(await course(), key).revisions[0]?.revision;
    await desk.imported(siteFile('trial'), by);
    await desk.publish({ by });
    await draft.put('credentialHolders', 'cy', { id: 'cy', name: 'Cy' }, { by });
    const nobodys = desk.publish({ by, onlyFor: [canary, keyOf(73)] });
    await t.rejects(nobodys, { code: 'ERR_MESH_MEMBER_UNKNOWN' }, 'a mistyped key would be waited for');
    t.match(await desk.publish({ by, onlyFor: [canary], note: 'Cy' }), { number: 2, isNew: true });
    t.match([await newest(canary), await newest(other)], [{ number: 2 }, { number: 1 }]);
    t.match(await desk.reissue(2, { by }), { number: 3, isNew: true }, 'for all');
    t.match([await newest(canary), await newest(other)], [{ number: 3 }, { number: 3 }]);
    t.match(await desk.reissue(1, { by, note: 'back' }), { number: 4, isNew: true });
    t.match(await newest(other), { number: 4, counts: { holders: 2 } }, 'what was before it');
    t.match(await desk.revisions(), [
      { number: 4, note: 'back', reissues: 1 },
      { number: 3, reissues: 2 },
      { number: 2, note: 'Cy', onlyFor: [canary] },
      { number: 1 },
    ]);
    t.match(await desk.changes(9), { since: 4, changes: [{ id: 'cy', change: 'added' }] }, 'the draft stays as it is');
    const unknown = { code: 'ERR_POLICY_REVISION_UNKNOWN' };
    await t.rejects(desk.reissue(9, { by }), unknown);
    await t.rejects(desk.reissue(1, { by, over: 9 }), unknown, 'nor is one given up that is not there');
    await t.rejects(desk.publish({ by, over: 9 }), unknown);
    t.equal((await desk.revisions())[0]?.number, 4, 'nothing was signed');
  });

  await t.test('a revocation takes no revision, and the draft says it from then on', async (t) => {
    const { desk, draft, entries, authority } = await scene.newSite('revoked');
    await desk.imported(siteFile('revoked'), by);
    const ids = [await desk.revoke('credential', 'card-ada', by), await desk.revoke('holder', 'ada', by)];
    t.strictSame(await desk.revisions(), []);
    t.match(await draft.get('credentials', 'card-ada'), { version: 2, body: { status: 'blocked' } });
    t.match(await draft.get('credentialHolders', 'ada'), { version: 2, body: { status: 'suspended' } });
    await desk.revoke('credential', 'card-bob', by);
    t.match(await draft.get('credentials', 'card-bob'), { version: 2, body: { status: 'lost' } }, 'it is none already');
    const given = (await entries()).filter(({ kind }) => kind === EVENT_KIND).map(({ body }) => decodeEvent(body));
    const directives = given.map(({ directive }) =>
      openDirective(nodeCrypto.verify, decodeSignedDirective(directive ?? new Uint8Array())),
    );
    t.match(directives, [
      {
        id: ids[0]?.directive,
        site: 'revoked',
        kind: 'revoke',
        subject: 'credential',
        subjectId: 'card-ada',
        onBehalfOf: by,
      },
      { id: ids[1]?.directive, subject: 'holder', subjectId: 'ada', onBehalfOf: by },
      { subjectId: 'card-bob' },
    ]);
    t.match(given[0], { detail: { kind: 'revoke', onBehalfOf: by } }, 'and the entry says so without being opened');
    const { entitlements } = await authority.state();
    for (const [at, { operator }] of given
      .map((each) => decodeSignedDirective(each.directive ?? new Uint8Array()))
      .entries()) {
      const directive = directives[at];
      t.match(directive && entitlements.judge(operator, directive, directive.issuedUnixMs), { isEntitled: true });
    }
  });

  await t.test('what is exported has no secret, and keeps cards and PINs when it is taken in again', async (t) => {
    const { desk } = await scene.newSite('exported');
    await desk.imported(siteFile('exported'), by);
    await desk.publish({ by });
    const text = (await Readable.from(desk.exported()).toArray()).join('');
    for (const secret of ['4711', '4567', '04a1b2c3d4e5f6']) t.notMatch(text, secret);
    t.match(await desk.imported(text, by), { created: 0, changed: 0, removed: 0 });
    t.strictSame((await desk.changes(9)).changes, []);
    await desk.imported(text.replace('"name":"Ada"', '"name":"Ada King"'), by);
    t.match((await desk.changes(9)).changes, [{ id: 'ada', change: 'changed', fields: ['name'] }]);
  });

  await t.test('a site file with problems changes nothing, and each is named', async (t) => {
    const { desk, draft } = await scene.newSite('refused');
    await desk.imported(siteFile('refused'), by);
    const before = await draft.counts();
    const wrong = siteFile('refused').replace('side: unsecured }', 'side: nowhere }').replace('pin: "4711"', 'pin: 47');
    await t.rejects(desk.imported(wrong, by), {
      code: 'ERR_POLICY_INVALID',
      details: {
        problems: [
          { kind: 'devices', id: 'front-out', path: 'side' },
          { id: 'card-ada', path: 'pin' },
        ],
      },
    });
    for (const text of ['[', 'version: 2', 'version: 1\ncolour: red', '- 1', 'version: 1\ndoors: {}']) {
      await t.rejects(desk.imported(text, by), { code: 'ERR_POLICY_INVALID' });
    }
    t.strictSame(await draft.counts(), before);
  });
});

function fail(): never {
  throw new Error('nothing was published');
}

const sortedKeys = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(sortedKeys)
    : typeof value === 'object' && value !== null
      ? Object.fromEntries(
          Object.entries(value)
            .sort(([a], [b]) => (a < b ? -1 : 1))
            .map(([name, each]) => [name, sortedKeys(each)]),
        )
      : value;
