import t from 'tap';
import { nodePartTools } from '@sparc/edge/policy-parts';
import type { PolicyContent } from '@sparc/protocol/policy';
import { IndexPart, readRevision, surveyParts, type PartRef } from '@sparc/protocol/policy-revision';
import { codeOf, contentWith, credential, cut, holder, ids, type Cut } from './revision-scene.js';

const IDS = ids(2_000);
const everybody = (rest: Partial<PolicyContent> = {}) =>
  contentWith({ holders: IDS.map((id) => holder(id)), credentials: IDS.map(credential), ...rest });
const BEFORE = cut(everybody());
const partsOf = ({ revision, parts }: Cut) => surveyParts(nodePartTools, revision, parts).parts;
const changeOf = ({ revision, parts }: Cut, before: readonly PartRef[] = partsOf(BEFORE)) =>
  readRevision(nodePartTools, revision, parts).changeSince(before);

t.test('of a change to one person, the people of one part are read, between those of its neighbours', async (t) => {
  const [id = ''] = IDS.slice(1_000);
  const change = changeOf(
    cut(everybody({ holders: IDS.map((each) => holder(each, each === id ? 'Ada' : undefined)) })),
  );
  const [head, gap, tail, ...more] = change?.gaps.holders ?? [];
  t.strictSame(more, []);
  const read = [...(change?.holders ?? [])];
  t.equal(read.find((each) => each.id === id)?.name, 'Ada');
  t.ok(read.length > 1 && read.length < IDS.length / 2, `${read.length} people`);
  const [after, before] = [gap?.after ?? '', gap?.before ?? ''].map((each) => IDS.indexOf(each));
  t.strictSame(
    read.map((each) => each.id),
    IDS.slice((after ?? 0) + 1, before),
  );
  t.match([head, tail], [{ after: '', before: IDS[0] }, { after: IDS.at(-1) }], 'and nobody came before or behind');
  t.strictSame([...(change?.credentials ?? [])], []);
});

t.test('the people of parts that both have, but in another order, are read whole', async (t) => {
  const parts = partsOf(BEFORE);
  t.equal(changeOf(BEFORE, [...parts].reverse()), undefined);
});

t.test(
  'parts that are there twice, or where they do not belong, are refused as they are when everything is read',
  async (t) => {
    const parts = partsOf(BEFORE);
    const [third] = parts.filter(({ section }) => section === 'holders').slice(2);
    if (third === undefined) throw new Error('there are three parts of holders');
    for (const again of [parts.indexOf(third), parts.findIndex(({ section }) => section === 'holders')]) {
      const content = IndexPart.encode({ parts: parts.toSpliced(again, 0, third) });
      const hash = Buffer.from(nodePartTools.sha256(content)).toString('hex');
      const twice: Cut = {
        revision: { ...BEFORE.revision, indexes: [hash] },
        parts: new Map([...BEFORE.parts, [hash, content]]),
      };
      const code = codeOf(() => [...(changeOf(twice)?.holders ?? [])]);
      t.equal(code, 'ERR_POLICY_REVISION_INVALID');
    }
  },
);

t.test('a part of a change that is not what its name says does not count', async (t) => {
  const [id] = IDS;
  const now = cut(everybody({ holders: IDS.map((each) => holder(each, each === id ? 'Ada' : undefined)) }));
  const [changed] = partsOf(now).filter(({ hash }) => !BEFORE.parts.has(hash));
  const parts = new Map([...now.parts, [changed?.hash ?? '', Uint8Array.of(7)]]);
  t.equal(
    codeOf(() => [...(changeOf({ ...now, parts })?.holders ?? [])]),
    'ERR_POLICY_PART_ABSENT',
  );
});
