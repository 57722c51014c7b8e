import fc from 'fast-check';
import { VirtualClock } from '@sparc/simulator/world';
import t from 'tap';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  VisitorBook,
  VisitorFile,
  VISITORS_MAX,
  VISITORS_OF_ONE_MAX,
  type GivenVisitor,
  type VisitorStore,
} from '@sparc/edge/visitors';
import type { EventDraft } from '@sparc/protocol/events';
import type { EntryId } from '@sparc/protocol/ports';
import { checkAsyncProperty } from '../../support/property.js';

const HOUR_MS = 3_600_000;
const KEY = 'h10301:1:7';
const entry = (sequence: number): EntryId => ({ author: 'ab'.repeat(32), epoch: 1, sequence });

const idOf = (number: number): string => number.toString(16).padStart(32, '0');

const keyOf = (operator: string): string => Buffer.from(operator).toString('hex').padEnd(64, '0');

type More = Partial<GivenVisitor['visitor'] & Pick<GivenVisitor, 'by' | 'carriedUnixMs'>>;

function given(number: number, { by = 'Ada', carriedUnixMs = 0, ...more }: More = {}): GivenVisitor {
  const visitor = {
    id: `guest-${number}`,
    name: 'Grace Hopper',
    identifier: { format: 'h10301', facility: 1, number: 7 },
    profiles: ['guests'],
    fromUnixMs: 0,
    untilUnixMs: HOUR_MS,
    ...more,
  };
  return { directive: idOf(number), carriedUnixMs, operator: keyOf(by), by, visitor };
}

interface Setting {
  readonly store?: VisitorStore;
  readonly isDiskGone?: boolean;
  /** Until the journal has a record, and whether it ever does. */
  readonly recorded?: Promise<boolean>;
}

function bookOf({ store, isDiskGone = false, recorded }: Setting = {}) {
  const records: EventDraft[] = [];
  const failures: string[] = [];
  const revoked = new Map<string, number>();
  let saved: GivenVisitor[] | undefined;
  const memory: VisitorStore = {
    load: () => saved,
    save: (all) => (isDiskGone ? Promise.reject(new Error('no disk')) : Promise.resolve(void (saved = all))),
  };
  const clock = new VirtualClock({ startUnixMs: 0 });
  const book = new VisitorBook({
    clock,
    store: store ?? memory,
    revokedUnixMs: (id) => revoked.get(id),
    record: async (event) => {
      const id = entry(records.push(event));
      return (await recorded) === false ? undefined : id;
    },
    onFailure: (_error, what) => failures.push(what),
  });
  return { book, clock, records, failures, revoked, saved: () => saved };
}

t.test('a visitor is recorded before they count, once, with the card told to nobody', async (t) => {
  const { book, records } = bookOf();
  const adding = book.add(given(1));
  t.equal(book.visitorOf(KEY, 1_000), undefined);
  await Promise.all([adding, book.add(given(1))]);
  await book.add(given(1));
  t.match(book.visitorOf(KEY, 1_000), { id: 'guest-1', profiles: ['guests'], fromUnixMs: 0, untilUnixMs: HOUR_MS });
  t.ok(book.has('guest-1'));
  t.strictSame(records, [
    {
      name: 'visitor.added',
      credentialId: 'guest-1',
      detail: {
        by: 'Ada',
        directive: idOf(1),
        from: '1970-01-01T00:00:00.000Z',
        until: '1970-01-01T01:00:00.000Z',
      },
    },
  ]);
});

t.test('of two visitors with one card the one counts whose time it is, whatever came first', async (t) => {
  const [early, late] = [given(1), given(2, { fromUnixMs: HOUR_MS, untilUnixMs: 2 * HOUR_MS })];
  for (const order of [
    [early, late],
    [late, early],
  ]) {
    const { book } = bookOf();
    for (const each of order) await book.add(each);
    t.equal(book.visitorOf(KEY, 0)?.id, 'guest-1');
    t.equal(book.visitorOf(KEY, HOUR_MS)?.id, 'guest-2');
    t.equal(book.visitorOf(KEY, 3 * HOUR_MS)?.id, 'guest-2', 'over, as the last of them');
  }
});

t.test('a card of which one visitor was revoked opens for none until it is issued anew', async (t) => {
  const { book, revoked } = bookOf();
  const [first, second] = [given(1, { carriedUnixMs: 100 }), given(2, { carriedUnixMs: 300 })];
  for (const each of [first, second]) await book.add(each);
  revoked.set('guest-1', 300);
  t.equal(book.visitorOf(KEY, 0)?.id, 'guest-1', 'so that the alarm says whose it was');
  await book.add(given(3, { carriedUnixMs: 301 }));
  t.equal(book.visitorOf(KEY, 0)?.id, 'guest-3');
  revoked.set('guest-3', 400);
  await book.add(given(4, { id: 'guest-1', carriedUnixMs: 500 }));
  t.ok(revoked.has(book.visitorOf(KEY, 0)?.id ?? ''), 'nobody comes in under an id that was revoked');
});

t.test('of two entries that carry a visitor the earlier counts, also while the journal takes the first', async (t) => {
  let take: (isTaken: boolean) => void = () => undefined;
  const recorded = new Promise<boolean>((resolve) => (take = resolve));
  const { book, revoked, saved } = bookOf({ recorded });
  const stamps = () => saved()?.map(({ carriedUnixMs }) => carriedUnixMs);
  const adding = book.add(given(1, { carriedUnixMs: 300 }));
  for (const unixMs of [200, 250]) book.carriedAgain(idOf(1), unixMs);
  take(true);
  await adding;
  t.strictSame(stamps(), [200]);
  await book.add(given(2, { carriedUnixMs: 100 }));
  revoked.set('guest-2', 150);
  t.equal(book.visitorOf(KEY, 0)?.id, 'guest-1');
  for (const unixMs of [120, 400]) book.carriedAgain(idOf(1), unixMs);
  t.equal(book.visitorOf(KEY, 0)?.id, 'guest-2', 'whose card it was then');
  await book.stop();
  t.strictSame(stamps()?.sort(), [100, 120]);
});

t.test('a visitor whom nobody had the right to let in is put out again', async (t) => {
  const { book, records, saved } = bookOf();
  await book.add(given(1));
  await book.add(given(2, { id: 'other' }));
  book.end(idOf(1), 'ERR_DIRECTIVE_NOT_ENTITLED');
  book.end(idOf(1), 'ERR_DIRECTIVE_NOT_ENTITLED');
  t.equal(book.visitorOf(KEY, 0)?.id, 'other');
  await book.add(given(3, { id: 'third' }));
  t.strictSame(
    records.filter(({ name }) => name === 'visitor.ended'),
    [
      {
        name: 'visitor.ended',
        credentialId: 'guest-1',
        code: 'ERR_DIRECTIVE_NOT_ENTITLED',
        detail: { directive: idOf(1) },
      },
    ],
  );
  t.strictSame(
    saved()?.map(({ visitor }) => visitor.id),
    ['other', 'third'],
  );
});

t.test('a card that no format has is refused, and nothing is recorded', async (t) => {
  const { book, records } = bookOf();
  const [unknown, wide] = [
    { format: 'no-such-format', number: 7 },
    { format: 'h10301', facility: 256, number: 7 },
  ];
  await t.rejects(book.add(given(1, { identifier: unknown })), { code: 'ERR_CARD_FORMAT_UNKNOWN' });
  await t.rejects(book.add(given(1, { identifier: wide })), { code: 'ERR_CARD_FIELD_RANGE' });
  t.strictSame(records, []);
});

t.test('of too many those leave whose visits end first, and that is told', async (t) => {
  const { book, records } = bookOf();
  const of = (number: number) => given(number, { by: `operator ${Math.floor(number / VISITORS_OF_ONE_MAX)}` });
  for (let number = 1; number < VISITORS_MAX; number += 1) await book.add(of(number));
  const short = given(0, { untilUnixMs: 2_000 });
  await book.add(short);
  await book.add(given(VISITORS_MAX));
  t.strictSame(
    records.filter(({ name }) => name === 'visitor.ended'),
    [
      {
        name: 'visitor.ended',
        credentialId: 'guest-0',
        code: 'ERR_DIRECTIVE_VISITORS_MAX',
        detail: { directive: short.directive },
      },
    ],
  );
  await t.rejects(book.add(given(VISITORS_MAX + 1, { untilUnixMs: 3_000 })), { code: 'ERR_DIRECTIVE_VISITORS_MAX' });
});

t.test('whoever left by themselves makes room, and is not told of as turned out', async (t) => {
  const { book, clock, records, saved } = bookOf();
  const day = 24 * HOUR_MS;
  for (let number = 0; number < VISITORS_OF_ONE_MAX + 10; number += 1) {
    await book.add(given(number, { fromUnixMs: number * day, untilUnixMs: number * day + HOUR_MS }));
    await clock.advance(day);
  }
  t.equal(saved()?.length, VISITORS_OF_ONE_MAX);
  book.end(idOf(100), 'ERR_DIRECTIVE_NOT_ENTITLED');
  t.equal(saved()?.length, VISITORS_OF_ONE_MAX - 1);
  t.same(
    records.filter(({ name }) => name === 'visitor.ended'),
    [],
  );
});

t.test('one operator keeps no other from letting visitors in, whatever they are called', async (t) => {
  const { book } = bookOf();
  await Promise.all(Array.from({ length: VISITORS_OF_ONE_MAX }, (_, number) => book.add(given(number))));
  await t.rejects(book.add(given(VISITORS_MAX)), { code: 'ERR_DIRECTIVE_VISITORS_MAX' });
  await book.add({ ...given(VISITORS_MAX), operator: keyOf('Bob') });
  t.ok(book.has(`guest-${VISITORS_MAX}`));
});

t.test('whom a gateway lets in does not depend on the order in which it hears of them', async (t) => {
  const beyond = (max: number, operators: number) =>
    fc.tuple(
      fc.array(fc.record({ untilUnixMs: fc.integer({ min: 1, max: 60 }), operator: fc.nat(operators - 1) }), {
        minLength: max + 1,
        maxLength: max + 20,
      }),
      fc.infiniteStream(fc.nat()),
    );
  const idsAfter = async (all: readonly GivenVisitor[]) => {
    const { book, saved } = bookOf();
    await Promise.allSettled(all.map((each) => book.add(each)));
    return (saved() ?? []).map(({ directive }) => directive).sort();
  };
  const isSame = async (visits: readonly { untilUnixMs: number; operator: number }[], ranks: fc.Stream<number>) => {
    const all = visits.map(({ untilUnixMs, operator }, number) => given(number, { untilUnixMs, by: `${operator}` }));
    const ranked = all.map((each) => ({ each, rank: [...ranks.take(1)][0] ?? 0 }));
    const shuffled = ranked.sort((a, b) => a.rank - b.rank).map(({ each }) => each);
    const [ids, others] = [await idsAfter(all), await idsAfter(shuffled)];
    return ids.length < all.length && JSON.stringify(others) === JSON.stringify(ids);
  };
  await checkAsyncProperty(
    fc.asyncProperty(beyond(VISITORS_OF_ONE_MAX, 1), (drawn) => isSame(...drawn)),
    8,
  );
  await checkAsyncProperty(
    fc.asyncProperty(beyond(VISITORS_MAX, 5), (drawn) => isSame(...drawn)),
    1,
  );
  t.pass();
});

t.test('a visitor to whom the right ends while they are recorded does not come in', async (t) => {
  let isRecorded: (is: boolean) => void = () => undefined;
  const { book, records } = bookOf({ recorded: new Promise<boolean>((resolve) => (isRecorded = resolve)) });
  const adding = book.add(given(1));
  book.end(idOf(1), 'ERR_DIRECTIVE_NOT_ENTITLED');
  isRecorded(true);
  await adding;
  t.notOk(book.has('guest-1'));
  t.match(records, [{ name: 'visitor.added' }, { name: 'visitor.ended', code: 'ERR_DIRECTIVE_NOT_ENTITLED' }]);
  await book.add(given(1));
  t.ok(book.has('guest-1'), 'when the right is there again');
});

t.test('a visitor whose record is lost is not let in, and that is told', async (t) => {
  const { book } = bookOf({ recorded: Promise.resolve(false) });
  await t.rejects(book.add(given(1)), { code: 'ERR_DIRECTIVE_VISITOR_UNRECORDED' });
  t.notOk(book.has('guest-1'));
});

t.test('a visitor counts although the disk does not take it, and that is told', async (t) => {
  const { book, failures } = bookOf({ isDiskGone: true });
  await t.rejects(book.add(given(1)), { code: 'ERR_DIRECTIVE_VISITOR_UNSAVED' });
  t.equal(book.visitorOf(KEY, 0)?.id, 'guest-1');
  t.strictSame(failures, ['visitors cannot be saved: a restart forgets them']);
});

t.test('visitors survive a restart, and nobody reads what is left of a damaged file', async (t) => {
  const dataDir = t.testdir();
  const before = bookOf({ store: new VisitorFile(dataDir) });
  before.book.start();
  await before.book.add(given(1, { identifier: { format: 'h10301', facility: 1, number: 7, issue: 2 } }));
  const after = bookOf({ store: new VisitorFile(dataDir) });
  after.book.start();
  t.match(after.book.visitorOf(KEY, 0), { id: 'guest-1', issue: 2 });
  t.strictSame(after.records, []);
  writeFileSync(join(dataDir, 'visitors.json'), '[{}]', { mode: 0o600 });
  const damaged = bookOf({ store: new VisitorFile(dataDir) });
  damaged.book.start();
  t.equal(damaged.book.visitorOf(KEY, 0), undefined);
  t.strictSame(damaged.records, [{ name: 'visitor.list_lost', code: 'ERR_GATEWAY_VISITORS_DAMAGED' }]);
});
