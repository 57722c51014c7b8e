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
import { VirtualClock } from '@sparc/simulator/world';

const HOUR_MS = 3_600_000;
const KEY = 'h10301:1:7';
const entry = (sequence: number): EntryId => ({ author: 'ab'.repeat(32), epoch: 1, sequence });

const idOf = (number: number): string => number.toString(16).padStart(32, '0');

function given(number: number, more: Partial<GivenVisitor['visitor']> = {}): GivenVisitor {
  const visitor = {
    id: `guest-${number}`,
    name: 'Grace Hopper',
    identifier: { format: 'h10301', facility: 1, number: 7 },
    profiles: ['guests'],
    fromUnixMs: 0,
    untilUnixMs: HOUR_MS,
    ...more,
  };
  return { directive: idOf(number), by: 'Ada', visitor };
}

interface Setting {
  readonly store?: VisitorStore;
  readonly isDiskGone?: boolean;
  /** Until the journal has a record, and whether it ever does. */
  readonly recorded?: Promise<boolean>;
}

function bookOf({ store, isDiskGone = false, recorded }: Setting = {}) {
  const clock = new VirtualClock({ startUnixMs: 1_000 });
  const records: EventDraft[] = [];
  const failures: string[] = [];
  const revoked = new Set<string>();
  let saved: GivenVisitor[] | undefined;
  const memory: VisitorStore = {
    load: () => saved,
    save: (all) => (isDiskGone ? Promise.reject(new Error('no disk')) : Promise.resolve(void (saved = all))),
  };
  const book = new VisitorBook({
    clock,
    store: store ?? memory,
    isRevoked: (id) => revoked.has(id),
    record: async (event) => {
      const id = entry(records.push(event));
      return (await recorded) === false ? undefined : id;
    },
    onFailure: (_error, what) => failures.push(what),
  });
  return { book, records, failures, revoked, saved: () => saved };
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

t.test('a card that was taken back may be given to somebody else', async (t) => {
  const { book, revoked } = bookOf();
  await book.add(given(1));
  revoked.add('guest-1');
  t.equal(book.visitorOf(KEY, 0)?.id, 'guest-1', 'so that the alarm says whose it was');
  await book.add(given(2));
  t.equal(book.visitorOf(KEY, 0)?.id, 'guest-2');
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

t.test('a full list takes new visitors in the place of those whose time is over', async (t) => {
  const { book } = bookOf();
  await book.add(given(0, { untilUnixMs: 1_000 }));
  const of = (number: number) => ({ ...given(number), by: `operator ${Math.floor(number / VISITORS_OF_ONE_MAX)}` });
  for (let number = 1; number < VISITORS_MAX; number += 1) await book.add(of(number));
  await book.add(given(VISITORS_MAX));
  t.notOk(book.has('guest-0'));
  await t.rejects(book.add(given(VISITORS_MAX + 1)), { code: 'ERR_DIRECTIVE_VISITORS_MAX' });
});

t.test('one operator keeps no other from letting visitors in', async (t) => {
  const { book } = bookOf();
  const all = Array.from({ length: VISITORS_OF_ONE_MAX }, (_, number) => book.add(given(number)));
  await t.rejects(book.add(given(VISITORS_MAX)), { code: 'ERR_DIRECTIVE_VISITORS_MAX' });
  await Promise.all(all);
  await t.rejects(book.add(given(VISITORS_MAX)), { code: 'ERR_DIRECTIVE_VISITORS_MAX' });
  await book.add({ ...given(VISITORS_MAX), by: 'Bob' });
  t.ok(book.has(`guest-${VISITORS_MAX}`));
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
