import t from 'tap';
import {
  Beacon,
  BEACON_KIND,
  courseOf,
  EMPTY_COURSE,
  lastConfirmed,
  learn,
  POLICY_KIND,
  PolicyRevision,
  REVISION_LAYOUT,
  type PolicyCourse,
} from '@sparc/protocol/policy-revision';
import fc from 'fast-check';
import { checkProperty } from '../../support/property.js';

/** `at`: its place in the log, where the clock was not right. */
const policy = (
  number: number,
  wallUnixMs: number,
  sizeBytes = 1,
  at = wallUnixMs,
  onlyFor: readonly string[] = [],
) => ({
  kind: POLICY_KIND,
  wallUnixMs,
  hlc: { unixMs: at, counter: 0 },
  body: PolicyRevision.encode({
    number,
    site: 'harbour',
    layout: REVISION_LAYOUT,
    indexes: [],
    counts: { plan: 0, profiles: 0, holders: 0, credentials: 0 },
    sizeBytes,
    onlyFor,
  }),
});
const beacon = (number: number, wallUnixMs: number, at = wallUnixMs) => ({
  kind: BEACON_KIND,
  wallUnixMs,
  hlc: { unixMs: at, counter: 0 },
  body: Beacon.encode({ number }),
});
const AT_ONE = { wallUnixMs: 1, hlc: { unixMs: 1, counter: 0 } };
type Entry = ReturnType<typeof policy>;
const learnt = (...entries: readonly Entry[]): PolicyCourse => entries.reduce(learn, EMPTY_COURSE);
const confirmedUnixMs = (course: PolicyCourse, issued: Parameters<typeof lastConfirmed>[1]) =>
  lastConfirmed(course, issued)?.wallUnixMs;
const numbers = ({ revisions }: PolicyCourse) => revisions.map(({ revision }) => revision.number);

t.test('the newest revision and the one before it are known, in whatever order they came', async (t) => {
  t.strictSame(numbers(learnt(policy(1, 10), policy(2, 20), policy(3, 30))), [3, 2]);
  t.strictSame(numbers(learnt(policy(3, 30), policy(1, 10), policy(2, 20))), [3, 2]);
});

t.test('a trial is for the gateways that it names, and the others go on with the one before', async (t) => {
  const [canary, other] = ['aa'.repeat(32), 'bb'.repeat(32)];
  const trial = (number: number, at: number) => policy(number, at, 1, at, [canary]);
  const course = learnt(policy(1, 10), policy(2, 20), trial(3, 30), trial(4, 40), beacon(4, 90));
  t.strictSame(numbers(courseOf(course, canary)), [4, 3, 2, 1]);
  t.strictSame(numbers(courseOf(course, other)), [2, 1]);
  t.equal(confirmedUnixMs(courseOf(course, other), { number: 2, issuedUnixMs: 20 }), 90, 'the authority confirms both');
  t.equal(confirmedUnixMs(courseOf(course, canary), { number: 2, issuedUnixMs: 20 }), 20);
});

t.test('a trial ends with the next revision for all', async (t) => {
  const canary = 'aa'.repeat(32);
  const all = [policy(1, 10), policy(2, 20, 1, 20, [canary]), policy(3, 30)];
  t.strictSame(numbers(learnt(...all)), [3, 1]);
  t.strictSame(numbers(learnt(...all.toReversed())), [3, 1]);
});

t.test('however many trials there are, what is for all is kept', async (t) => {
  const trials = Array.from({ length: 9 }, (_, at) => policy(at + 3, at + 30, 1, at + 30, ['aa'.repeat(32)]));
  t.strictSame(numbers(learnt(policy(1, 10), policy(2, 20), ...trials)), [11, 10, 9, 8, 2, 1]);
});

t.test('of two revisions of one number the later one counts', async (t) => {
  const course = learnt(policy(2, 20, 7), policy(2, 30, 8), policy(2, 25, 9));
  t.match(course.revisions, [{ revision: { sizeBytes: 8 }, issuedUnixMs: 30 }]);
});

t.test('a revision has one name wherever it is read, and another one another', async (t) => {
  const [first] = learnt(policy(2, 20, 7)).revisions;
  t.match(first?.name, /^2-[0-9a-f]{16}$/);
  t.equal(learnt(policy(2, 99, 7)).revisions[0]?.name, first?.name);
  t.not(learnt(policy(2, 20, 8)).revisions[0]?.name, first?.name);
});

t.test('a beacon confirms the revision that it names', async (t) => {
  const course = learnt(policy(1, 10), beacon(1, 50), policy(2, 60), beacon(2, 70), beacon(2, 65));
  t.equal(confirmedUnixMs(course, { number: 1, issuedUnixMs: 10 }), 50);
  t.equal(confirmedUnixMs(course, { number: 2, issuedUnixMs: 60 }), 70);
});

t.test('a beacon of a later revision confirms the newest one that is known here, and no older one', async (t) => {
  const course = learnt(policy(1, 10), policy(2, 20), beacon(3, 90));
  t.equal(confirmedUnixMs(course, { number: 2, issuedUnixMs: 20 }), 90);
  t.equal(confirmedUnixMs(course, { number: 1, issuedUnixMs: 10 }), 10);
});

t.test('what stands last in the log counts, also behind a clock that was ahead', async (t) => {
  const ahead = [policy(1, 900, 1, 10), beacon(1, 990, 20)];
  t.equal(confirmedUnixMs(learnt(...ahead), { number: 1, issuedUnixMs: 900 }), 990);
  const course = learnt(...ahead, beacon(1, 50, 30), beacon(1, 40, 25));
  t.match(lastConfirmed(course, { number: 1, issuedUnixMs: 900 }), { wallUnixMs: 50, hlc: { unixMs: 30 } });
});

t.test('of a revision that is not known here, only beacons say when it was confirmed', async (t) => {
  t.equal(lastConfirmed(EMPTY_COURSE, { number: 1, issuedUnixMs: 10 }), undefined);
  t.equal(confirmedUnixMs(learnt(beacon(1, 50)), { number: 1, issuedUnixMs: 10 }), 50);
});

t.test('entries that cannot be read are refused, and those of other kinds say nothing', async (t) => {
  for (const kind of [POLICY_KIND, BEACON_KIND]) {
    t.throws(() => learn(EMPTY_COURSE, { kind, body: new Uint8Array([255]), ...AT_ONE }), {
      code: 'ERR_LEDGER_MALFORMED',
    });
  }
  t.equal(learn(EMPTY_COURSE, { kind: 'roster', body: new Uint8Array([255]), ...AT_ONE }), EMPTY_COURSE);
});

t.test('gateways that have the same entries come to the same, whatever the order and however often', async (t) => {
  const entry = fc.oneof(
    fc
      .tuple(
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 9 }),
      )
      .map((args) => policy(...args)),
    fc
      .tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }))
      .map((args) => beacon(...args)),
  );
  const entries = fc.array(entry, { maxLength: 12 });
  const shuffled = entries.chain((list) =>
    fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })),
  );
  const saidOf = (course: PolicyCourse) => ({
    revisions: course.revisions.map(({ name, issuedUnixMs }) => `${name} ${issuedUnixMs}`),
    confirmed: [1, 2, 3, 4].map((number) => {
      const issuedUnixMs = course.revisions.find((each) => each.revision.number === number)?.issuedUnixMs ?? 0;
      return confirmedUnixMs(course, { number, issuedUnixMs });
    }),
  });
  const property = fc.property(
    shuffled,
    ([list, other]) => JSON.stringify(saidOf(learnt(...other, ...list))) === JSON.stringify(saidOf(learnt(...list))),
  );
  checkProperty(property);
  t.pass();
});
