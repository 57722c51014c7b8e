import fc from 'fast-check';
import t from 'tap';
import { nodePartTools } from '@sparc/edge/policy-parts';
import { BODY_BYTES_MAX } from '@sparc/protocol/ledger';
import {
  cutRevision,
  INDEXES_MAX,
  PART_BYTES_MAX,
  PART_TEXT_BYTES_MAX,
  PolicyRevision,
  readRevision,
  surveyParts,
} from '@sparc/protocol/policy-revision';
import { checkProperty } from '../../support/property.js';
import { PLAN, contentWith, credential, cut, holder, ids, profile, readWhole, type Cut } from './revision-scene.js';

const refsOf = ({ revision, parts }: Cut) => surveyParts(nodePartTools, revision, parts).parts;
/** Data parts and index parts that whoever has the first lacks of the second. */
function newParts(before: Cut, after: Cut): { data: number; index: number } {
  const hashes = refsOf(after).map(({ hash }) => hash);
  return {
    data: new Set(hashes.filter((hash) => !before.parts.has(hash))).size,
    index: after.revision.indexes.filter((hash) => !before.parts.has(hash)).length,
  };
}

/** Rights to access points with ids that cannot be made shorter. */
const policies = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    accessPoint: Buffer.from(nodePartTools.sha256(Buffer.from(String(index)))).toString('hex'),
    schedule: 'day',
  }));

t.test('what is read is what was cut', async (t) => {
  const id = fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,20}$/);
  const name = fc.string({ minLength: 1, maxLength: 40, unit: 'grapheme' });
  const sorted = fc.uniqueArray(id, { maxLength: 600, size: 'max' }).map((list) => list.sort());
  const property = fc.property(sorted, sorted, sorted, name, (profileIds, holderIds, credentialIds, holderName) => {
    const content = contentWith({
      profiles: profileIds.map(profile),
      holders: holderIds.map((each) => holder(each, holderName)),
      credentials: credentialIds.map(credential),
    });
    t.strictSame(readWhole(cut(content, 7)), content);
  });
  checkProperty(property, 30);
});

t.test('where parts begin is the same in every version', async (t) => {
  const made = cut(contentWith({ holders: ids(2_000).map((id) => holder(id)) }));
  const holders = refsOf(made).filter(({ section }) => section === 'holders');
  const linesOf = (hash: string) => {
    const content = made.parts.get(hash) ?? new Uint8Array();
    return Buffer.from(nodePartTools.inflate(content, PART_TEXT_BYTES_MAX)).toString('utf8').split('\n').slice(0, -1);
  };
  const beginnings = holders.map(({ hash }) => (JSON.parse(linesOf(hash)[0] ?? '') as { readonly id: string }).id);
  t.strictSame(
    beginnings.map((id) => Number(id.slice(1))),
    [0, 3, 532, 749, 968, 982, 1_033, 1_500, 1_584, 1_706, 1_768],
  );
});

t.test('where index parts begin is the same in every version', async (t) => {
  const made = cut(contentWith({ holders: ids(60_000).map((id) => holder(id)) }));
  const hashes = refsOf(made).map(({ hash }) => hash);
  const beginnings = hashes.filter((hash, at) => at === 0 || Number.parseInt(hash.slice(0, 2), 16) % 64 === 0);
  t.ok(beginnings.length > 2);
  t.equal(made.revision.indexes.length, beginnings.length);
});

t.test('a record that changes, comes or goes leaves the parts of all others as they were', async (t) => {
  const before = ids(3_000);
  const cutOf = (list: readonly string[], renamed?: string) =>
    cut(contentWith({ holders: list.map((id) => holder(id, id === renamed ? 'Somebody else' : undefined)) }));
  const original = cutOf(before);
  t.ok(refsOf(original).length > 6, 'there are parts enough to tell');
  const property = fc.property(fc.nat(before.length - 1), fc.constantFrom('change', 'add', 'remove'), (at, what) => {
    const id = before[at] ?? '';
    const after =
      what === 'change'
        ? cutOf(before, id)
        : cutOf(what === 'add' ? before.toSpliced(at + 1, 0, `${id}-b`) : before.toSpliced(at, 1));
    const { data, index } = newParts(original, after);
    t.ok(data >= 1 && data <= (what === 'add' ? 2 : 1), `${what} ${id}: ${data} new parts`);
    t.ok(index >= 1 && index <= 3, `${what} ${id}: ${index} new index parts`);
  });
  checkProperty(property, 60);
});

t.test('records that fill parts before a place to cut comes move others only as far as the next place', async (t) => {
  const rights = policies(50);
  const make = (changed: number) =>
    cut(
      contentWith({
        profiles: ids(1_000).map((id, index) => ({
          ...profile(id),
          policies: index === changed ? [...rights, ...policies(1)] : rights,
        })),
      }),
    );
  const before = make(-1);
  const { data } = newParts(before, make(10));
  t.ok(refsOf(before).length >= 20);
  t.ok(data >= 1 && data <= refsOf(before).length / 2, `${data} of ${refsOf(before).length}`);
});

t.test('the same policy has the same parts, whatever its number', async (t) => {
  const content = contentWith({ credentials: ids(500).map(credential) });
  const [first, second] = [cut(content, 1), cut(content, 2)];
  t.strictSame(first.revision.indexes, second.revision.indexes);
  t.not(first.revision.number, second.revision.number);
});

t.test('no part is longer than it may be, and a record that fits into none is refused', async (t) => {
  const withRights = (count: number) => contentWith({ profiles: [{ ...profile('staff'), policies: policies(count) }] });
  const bytesOfOne = JSON.stringify(policies(1)).length - 1;
  const fitting = Math.floor(PART_TEXT_BYTES_MAX / bytesOfOne) - 2;
  const { parts } = cut(withRights(fitting));
  for (const content of parts.values()) t.ok(content.length <= PART_BYTES_MAX);
  t.throws(() => cut(withRights(fitting + 3)), { code: 'ERR_POLICY_INVALID', message: /more than/ });
});

t.test('a policy is cut and read as it comes, a part at a time', async (t) => {
  const all = ids(5_000);
  let given = 0;
  function* holders() {
    for (const id of all) {
      given++;
      yield holder(id);
    }
  }
  const givenAtPut: number[] = [];
  const parts = new Map<string, Uint8Array>();
  const revision = cutRevision(nodePartTools, { number: 1, content: contentWith({ holders: holders() }) }, (part) => {
    givenAtPut.push(given);
    parts.set(part.hash, part.content);
  });
  t.ok(new Set(givenAtPut).size > 8, 'parts were put in between');
  const got: string[] = [];
  const store = {
    has: (hash: string) => parts.has(hash),
    get(hash: string) {
      got.push(hash);
      return parts.get(hash);
    },
  };
  const { holders: read } = readRevision(nodePartTools, revision, store);
  const before = got.length;
  for (const _ of read) break;
  t.equal(got.length - before, 1, 'one part for the first holder');
});

t.test('what no gateway would take is not signed', async (t) => {
  const nameless = { ...holder('a'), name: '' };
  const endless = { ...PLAN, areas: [{ id: 'house', name: 'House', occupancyMax: -1 }] };
  for (const people of [{ holders: [nameless] }, { plan: endless }]) {
    t.throws(() => cut(contentWith(people)), { code: 'ERR_POLICY_INVALID' });
  }
});

t.test('records that are not in the order of their ids, or there twice, are not cut', async (t) => {
  for (const list of [
    ['b', 'a'],
    ['a', 'a'],
  ]) {
    t.throws(() => cut(contentWith({ holders: list.map((id) => holder(id)) })), { code: 'ERR_POLICY_INVALID' });
  }
});

t.test('the largest revision fits into an entry of a log', async (t) => {
  const { revision } = cut(contentWith());
  const indexes = Array<string>(INDEXES_MAX).fill('ab'.repeat(32));
  const counts = { plan: 2 ** 32 - 1, profiles: 2 ** 32 - 1, holders: 2 ** 32 - 1, credentials: 2 ** 32 - 1 };
  const body = PolicyRevision.encode({ ...revision, indexes, counts });
  t.ok(body.length <= BODY_BYTES_MAX, String(body.length));
  t.strictSame(PolicyRevision.decode(body).indexes.length, INDEXES_MAX);
});

t.test('a revision says how many records and bytes it has', async (t) => {
  const { revision, parts } = cut(contentWith({ holders: ids(3).map((id) => holder(id)) }));
  t.match(revision.counts, { profiles: 1, holders: 3, credentials: 0 });
  t.equal(
    revision.sizeBytes,
    [...parts.values()].reduce((sum, { length }) => sum + length, 0),
  );
});
