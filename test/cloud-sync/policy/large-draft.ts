import { Readable } from 'node:stream';
import t from 'tap';
import { PeopleImport, PeopleTable } from '@sparc/cloud-sync/policy';
import { edited, SITE_FILE } from '../../support/site-file.js';
import { deskScene } from './desk-scene.js';
import { draftScene } from './draft-scene.js';

const by = 'grace';
const PEOPLE = 1_100;
const idOf = (at: number): string => at.toString(36).padStart(3, '0');
const pinOf = (at: number): string => String(100_000 + at);

t.test('a draft of more people than are read at once', async (t) => {
  const scene = await deskScene();
  const { desk, draft, course, contentOf } = await scene.newSite('large');
  // At which a PIN says by itself who comes.
  const reader = 'door: front, reader: front-reader,';
  const { text } = edited(SITE_FILE, reader, `${reader} authentication: cardOrPin,`);
  await desk.imported(edited(text, '"4711"', '"471147"').text.replace('id: harbour', 'id: large'), by);
  const rows = Array.from({ length: PEOPLE }, (_, at) => {
    const value = (at + 1).toString(16).padStart(8, '0');
    return `h${idOf(at)},Holder ${at},c${idOf(at)},32,${value},${pinOf(at)},staff`;
  });
  const people = new PeopleImport((await draftScene()).depsOf('large'));
  const table = `holder,name,credential,bits,value,pin,profiles\n${rows.reverse().join('\n')}\n`;
  const { id, work } = await people.start(new PeopleTable([Buffer.from(table)]), { isDryRun: false, by });
  await work;
  t.match(await people.status(id), { state: 'done', savedCount: PEOPLE });

  await t.test('is published whole and in order', async (t) => {
    t.strictSame(await desk.problems(), []);
    t.strictSame(await desk.publish({ by }), { number: 1, isNew: true });
    const [published] = (await course()).revisions;
    if (published === undefined) throw new Error('a revision');
    const { holders, credentials } = await contentOf(published.revision);
    const holderIds = [...holders].map((holder) => holder.id);
    t.equal(holderIds.length, PEOPLE + 2);
    t.strictSame(holderIds, [...holderIds].sort());
    t.equal([...credentials].filter(({ pinIdentifierKeys: keys }) => keys?.length === 1).length, PEOPLE + 1);
    t.strictSame(await desk.changes(9), { since: 1, counts: {}, changes: [], isMore: false });
  });

  await t.test('is exported some at a time, as a site file that is taken in again', async (t) => {
    const pieces = (await Readable.from(desk.exported()).toArray()) as readonly string[];
    const text = pieces.join('');
    const longest = Math.max(...pieces.map(({ length }) => length));
    t.ok(longest < text.length / 3, `${longest} of ${text.length} characters`);
    t.strictSame(await desk.imported(text, by), { created: 0, changed: 0, removed: 0 });
  });

  await t.test('that somebody changes meanwhile is not exported as if it were whole', async (t) => {
    const pieces = desk.exported();
    t.match(await pieces.next(), { value: 'version: 1\n' });
    await draft.put('credentialHolders', 'yan', { id: 'yan', name: 'Yan' }, { by });
    await t.rejects(Readable.from(pieces).toArray(), { code: 'ERR_POLICY_DRAFT_STALE' });
    await draft.remove('credentialHolders', 'yan', { version: 1, by });
  });

  await t.test('is compared to its end', async (t) => {
    const last = `h${idOf(PEOPLE - 1)}`;
    await draft.put('credentialHolders', last, { id: last, name: 'Zoe' }, { version: 1, by });
    t.match(await desk.changes(9), { changes: [{ id: last, change: 'changed', fields: ['name'] }], isMore: false });
  });

  await t.test('says what is wrong with people far from each other', async (t) => {
    const [first, last] = [`c${idOf(0)}`, `c${idOf(PEOPLE - 1)}`];
    const { body } = await draft.get('credentials', last);
    await draft.put('credentials', last, { ...(body as object), pin: pinOf(0) }, { version: 1, by });
    await draft.remove('credentialHolders', `h${idOf(700)}`, { version: 1, by });
    const problems = await desk.problems();
    t.match(problems, [
      { kind: 'credentials', id: `c${idOf(700)}`, path: 'holder' },
      { kind: 'credentials', id: last, path: 'pin', message: `credential \`${first}\` has already` },
    ]);
    t.equal(problems.length, 2);
    await t.rejects(desk.publish({ by }), { code: 'ERR_POLICY_INVALID' });
  });
});
