import fc from 'fast-check';
import t from 'tap';
import { nodePartTools } from '@sparc/edge/policy-parts';
import {
  IndexPart,
  PART_TEXT_BYTES_MAX,
  surveyParts,
  type PartRef,
  type Section,
} from '@sparc/protocol/policy-revision';
import { checkProperty } from '../../support/property.js';
import {
  codeOf,
  contentWith,
  credential,
  cut,
  holder,
  ids,
  PLAN,
  profile,
  readWhole,
  type Cut,
} from './revision-scene.js';

const hashOf = (content: Uint8Array) => Buffer.from(nodePartTools.sha256(content)).toString('hex');
const CONTENT = contentWith({ holders: ids(700).map((id) => holder(id)), credentials: ids(700).map(credential) });

t.test('what is missing is the index parts, then the parts that they name', async (t) => {
  const { revision, parts } = cut(CONTENT);
  const held = new Map<string, Uint8Array>();
  const fetched: number[] = [];
  for (let { missing } = surveyParts(nodePartTools, revision, held); missing.length > 0;) {
    fetched.push(missing.length);
    t.equal(
      codeOf(() => readWhole({ revision, parts: held })),
      'ERR_POLICY_PART_ABSENT',
    );
    for (const hash of missing) held.set(hash, parts.get(hash) ?? new Uint8Array());
    ({ missing } = surveyParts(nodePartTools, revision, held));
  }
  t.strictSame(fetched, [revision.indexes.length, parts.size - revision.indexes.length]);
  t.strictSame(new Set(surveyParts(nodePartTools, revision, held).named), new Set(parts.keys()));
  t.strictSame(readWhole({ revision, parts: held }), CONTENT);
});

t.test('a part that is not what its name says does not count, whichever byte of it changed', async (t) => {
  const { revision, parts } = cut(CONTENT);
  const property = fc.property(
    fc.constantFrom(...parts.keys()),
    fc.nat(),
    fc.integer({ min: 1, max: 255 }),
    (hash, at, flip) => {
      const changed = Uint8Array.from(parts.get(hash) ?? []);
      const index = at % changed.length;
      changed[index] = (changed[index] ?? 0) ^ flip;
      t.equal(
        codeOf(() => readWhole({ revision, parts: new Map([...parts, [hash, changed]]) })),
        'ERR_POLICY_PART_ABSENT',
      );
    },
  );
  checkProperty(property, 100);
});

t.test('a revision of another layout is not read', async (t) => {
  const { revision, parts } = cut(CONTENT);
  const later = { ...revision, layout: revision.layout + 1 };
  t.equal(
    codeOf(() => readWhole({ revision: later, parts })),
    'ERR_POLICY_REVISION_LAYOUT',
  );
  t.equal(
    codeOf(() => surveyParts(nodePartTools, later, parts)),
    'ERR_POLICY_REVISION_LAYOUT',
  );
});

const line = (value: unknown): string => `${JSON.stringify(value)}\n`;
const PLAN_TEXT = line(['site', PLAN.site]);

/** A revision of whatever somebody with the key of the authority signs. */
function signed(sections: readonly (readonly [Section, string | Uint8Array])[], change: Partial<PartRef> = {}): Cut {
  const parts = new Map<string, Uint8Array>();
  const keep = (content: Uint8Array) => {
    parts.set(hashOf(content), content);
    return hashOf(content);
  };
  const counts = { plan: 0, profiles: 0, holders: 0, credentials: 0 };
  const refs = sections.map(([section, text]) => {
    if (typeof text === 'string') counts[section] += text.split('\n').length - 1;
    const content = typeof text === 'string' ? nodePartTools.deflate(Buffer.from(text)) : text;
    return { section, hash: keep(content), sizeBytes: content.length, ...change };
  });
  const index = keep(IndexPart.encode({ parts: refs }));
  return {
    revision: { number: 1, site: 'harbour', layout: 1, indexes: [index], counts, sizeBytes: 0, onlyFor: [] },
    parts,
  };
}

t.test('parts that somebody put together by hand are read', async (t) => {
  const { plan, holders } = readWhole(
    signed([
      ['plan', PLAN_TEXT],
      ['holders', line(holder('a')) + line(holder('b'))],
    ]),
  );
  t.match(plan, { site: PLAN.site, doors: [] });
  t.strictSame(holders, [holder('a'), holder('b')]);
});

const withPlan = (section: Section, ...texts: string[]) =>
  signed([['plan', PLAN_TEXT], ...texts.map((text) => [section, text] as const)]);
const bomb = nodePartTools.deflate(Buffer.alloc(PART_TEXT_BYTES_MAX + 1, '\n'));

const CONTRADICTIONS: Readonly<Record<string, Cut>> = {
  'a plan without a site': signed([['plan', line(['areas', PLAN.areas[0]])]]),
  'two sites': signed([['plan', PLAN_TEXT + PLAN_TEXT]]),
  'a plan of another site': signed([['plan', line(['site', { ...PLAN.site, id: 'airport' }])]]),
  'a list that no plan has': signed([['plan', PLAN_TEXT + line(['windows', {}])]]),
  'a list with the name of what every object has': signed([['plan', PLAN_TEXT + line(['constructor', {}])]]),
  'an entry that its list does not take': signed([['plan', PLAN_TEXT + line(['areas', { id: 'house' }])]]),
  'a field that this layout does not have': withPlan('holders', line({ ...holder('a'), nickname: 'A' })),
  'a PIN': withPlan('credentials', line({ ...credential('a'), pin: '1234' })),
  'a record without an id': withPlan('profiles', line({ name: 'x', policies: [] })),
  'a record twice': withPlan('holders', line(holder('a')) + line(holder('a'))),
  'records out of order over two parts': withPlan('holders', line(holder('b')), line(holder('a'))),
  'sections out of order': signed([
    ['credentials', line(credential('a'))],
    ['plan', PLAN_TEXT],
  ]),
  'a line that is no JSON': withPlan('holders', '{"id":\n'),
  'an empty line': withPlan('holders', `${line(holder('a'))}\n`),
  'a part that ends within a line': withPlan('holders', JSON.stringify(holder('a'))),
  'a part that cannot be inflated': signed([
    ['plan', PLAN_TEXT],
    ['holders', Uint8Array.of(7, 7, 7)],
  ]),
  'a part that inflates to more than it may': signed([
    ['plan', PLAN_TEXT],
    ['holders', bomb],
  ]),
  'a part of another size than it was signed with': signed([['plan', PLAN_TEXT]], { sizeBytes: 5 }),
};

for (const [what, contradictory] of Object.entries(CONTRADICTIONS)) {
  t.test(`a signed revision with ${what} is refused`, async (t) => {
    t.equal(
      codeOf(() => readWhole(contradictory)),
      'ERR_POLICY_REVISION_INVALID',
    );
  });
}

t.test('a revision with another number of records than was signed is refused', async (t) => {
  for (const section of ['plan', 'profiles', 'holders', 'credentials'] as const) {
    const { revision, parts } = cut(contentWith({ profiles: [profile('staff')] }));
    const counts = { ...revision.counts, [section]: revision.counts[section] + 1 };
    t.equal(
      codeOf(() => readWhole({ revision: { ...revision, counts }, parts })),
      'ERR_POLICY_REVISION_INVALID',
      section,
    );
  }
});

t.test('an index part that is none is refused', async (t) => {
  const { revision, parts } = cut(CONTENT);
  const noise = Uint8Array.of(255, 255, 255);
  const changed = { ...revision, indexes: [hashOf(noise)] };
  t.equal(
    codeOf(() => readWhole({ revision: changed, parts: new Map([...parts, [hashOf(noise), noise]]) })),
    'ERR_POLICY_REVISION_INVALID',
  );
});
