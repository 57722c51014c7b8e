import t from 'tap';
import { nodeCrypto, nodePartTools } from '@sparc/cloud-sync/platform';
import { PeopleImport, PeopleTable } from '@sparc/cloud-sync/policy';
import { cutRevision, PART_RECORDS_MEAN, type IssuedRevision } from '@sparc/protocol/policy-revision';
import { SITE_FILE } from '../../support/site-file.js';
import { deskScene } from './desk-scene.js';
import { draftScene } from './draft-scene.js';

const by = 'grace';
const PEOPLE = 1_200;
const nameOf = (at: number): string => at.toString(36).padStart(4, '0');
const isBeginning = (id: string): boolean => (nodeCrypto.sha256(Buffer.from(id))[0] ?? 0) % PART_RECORDS_MEAN === 0;
const ids = Array.from({ length: PEOPLE }, (_, at) => nameOf(at));
const found = <T>(list: readonly T[], is: (one: T) => boolean): T => {
  const one = list.find(is);
  if (one === undefined) throw new Error('there is none');
  return one;
};

t.test('a draft that changes between publishings', async (t) => {
  const scene = await deskScene();
  const { desk, newDesk, draft, course, contentOf } = await scene.newSite('changed');
  await desk.imported(SITE_FILE.replace('id: harbour', 'id: changed'), by);
  const rows = ids.map((id, at) => `h${id},Holder ${at},c${id},32,${(at + 1).toString(16).padStart(8, '0')},staff`);
  const people = new PeopleImport((await draftScene()).depsOf('changed'));
  const table = new PeopleTable([Buffer.from(`holder,name,credential,bits,value,profiles\n${rows.join('\n')}\n`)]);
  await (
    await people.start(table, { isDryRun: false, by })
  ).work;
  t.match(await desk.publish({ by }), { isNew: true });

  const version = async (kind: 'credentialHolders' | 'credentials', id: string) => (await draft.get(kind, id)).version;
  const putHolder = async (id: string, version?: number) =>
    draft.put('credentialHolders', id, { id, name: 'Zoe' }, { version, by });
  const removeCredential = async (id: string) =>
    draft.remove('credentials', id, { version: await version('credentials', id), by });
  const middle = `h${nameOf(PEOPLE / 2)}`;
  const beginning = `c${found(ids, (id) => isBeginning(`c${id}`))}`;
  const newBeginning = `h${found(ids, (id) => isBeginning(`h${id}x`))}x`;
  const changes: readonly (readonly [what: string, change: () => Promise<unknown>])[] = [
    ['a person has another name', () => putHolder(middle, 1)],
    ['a person is revoked', () => desk.revoke('holder', middle, by)],
    ['the first one of a part goes', () => removeCredential(beginning)],
    ['one comes who begins a part', () => putHolder(newBeginning)],
    ['one comes before all others', () => putHolder('a')],
    ['one comes behind all others', () => putHolder('zz')],
    ['the last one goes', () => removeCredential(`c${ids.at(-1)}`)],
    [
      'a door has another name',
      async () => {
        const { body, version } = await draft.get('doors', 'lab');
        await draft.put('doors', 'lab', { ...(body as object), name: 'Clean room' }, { version, by });
      },
    ],
  ];
  for (const [what, change] of changes) {
    await t.test(`is published as it is where ${what}`, async (t) => {
      await change();
      const { number } = await desk.publish({ by });
      t.match(await desk.changes(9), { since: number, changes: [] });
      t.strictSame(await newDesk().publish({ by }), { number, isNew: false }, 'as by who reads all of it');
      const [{ revision }] = (await course()).revisions as [IssuedRevision];
      const whole = cutRevision(nodePartTools, { number, content: await contentOf(revision) }, () => undefined);
      t.strictSame(whole, revision, 'and cuts it at once');
    });
  }

  await t.test('is refused for what is wrong with people who did not change', async (t) => {
    await draft.remove('credentialHolders', 'h0000', { version: 1, by });
    const wrong = { kind: 'credentials', id: 'c0000', path: 'holder' };
    await t.rejects(desk.publish({ by }), { code: 'ERR_POLICY_INVALID', details: { problems: [wrong] } });
    await putHolder('h0000');
    const { version: seen } = await draft.get('accessProfiles', 'staff');
    await draft.remove('accessProfiles', 'staff', { version: seen, by });
    await t.rejects(desk.publish({ by }), { code: 'ERR_POLICY_INVALID' });
  });
});
