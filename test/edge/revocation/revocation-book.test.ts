import t from 'tap';
import { AUTHORITY_NAME } from '@sparc/protocol/directive';
import type { EventDraft } from '@sparc/protocol/events';
import {
  RevocationBook,
  REVOCATIONS_MAX,
  REVOCATIONS_OF_ONE_MAX,
  type Revocation,
  type RevocationStore,
} from '@sparc/edge/revocation';
import { VirtualClock } from '@sparc/simulator/world';

/** A disk that can be slow or broken. */
class MemoryStore implements RevocationStore {
  saved: Revocation[] = [];
  isBroken = false;
  writersCount = 0;
  hold: Promise<void> = Promise.resolve();

  load() {
    return { revocations: this.saved };
  }

  append(revocation: Revocation) {
    return this.#write(() => this.saved.push(revocation));
  }

  replace(revocations: readonly Revocation[]) {
    return this.#write(() => (this.saved = [...revocations]));
  }

  async #write(work: () => void) {
    this.writersCount += 1;
    try {
      await this.hold;
      if (this.isBroken) throw new Error('ENOSPC');
      work();
    } finally {
      this.writersCount -= 1;
    }
  }
}

/** What the journal has of earlier runs, read when it pleases. */
function journalOf(newest: number, ...revocations: readonly Revocation[]) {
  const journal = {
    readsCount: 0,
    hold: Promise.resolve(),
    recorded: async () => ({
      newest,
      read: async () => {
        journal.readsCount += 1;
        await journal.hold;
        return revocations;
      },
    }),
  };
  return journal;
}

const settle = () => new Promise(setImmediate);

function openBook(store = new MemoryStore(), journal?: ReturnType<typeof journalOf>) {
  const clock = new VirtualClock({ startUnixMs: 1_000_000 });
  const records: EventDraft[] = [];
  const failures: string[] = [];
  const absorbed = new Set<string>();
  const book = new RevocationBook({
    clock,
    store,
    recorded: journal?.recorded,
    isAbsorbed: (directive) => absorbed.has(directive),
    record: (event) => void records.push(event),
    onFailure: (_error, what) => void failures.push(what),
  });
  book.start();
  return { book, clock, store, records, failures, absorbed };
}

const revocation = (number: number, id: string): Revocation => ({
  number,
  subject: 'credential',
  id,
  by: 'Ada',
  atUnixMs: 5,
});

t.test('a revocation is in force from the call, and acknowledged when it is on disk', async (t) => {
  const { book, store, records } = openBook();
  let write: () => void = () => undefined;
  store.hold = new Promise((resolve) => (write = resolve));
  let isAcknowledged = false;
  const revoked = book.revoke('credential', 'card', 'Ada').then(() => (isAcknowledged = true));
  t.equal(book.of('card', 'ann'), 1);
  t.equal(book.of('other', 'ann'), undefined);
  t.match(records, [{ name: 'revocation.applied', credentialId: 'card', detail: { by: 'Ada', number: '1' } }]);
  await new Promise(setImmediate);
  t.equal(isAcknowledged, false);
  write();
  await revoked;
  t.match(store.saved, [{ number: 1, subject: 'credential', id: 'card', by: 'Ada', atUnixMs: 1_000_000 }]);
  t.same(book.applied, { number: 1, appliedAtUnixMs: 1_000_000 });
});

t.test('a holder is revoked with every credential, of later revisions too', async (t) => {
  const { book } = openBook();
  t.equal(await book.revoke('holder', 'ann', 'Ada'), 1);
  t.equal(book.of('any', 'ann'), 1);
  t.equal(book.of('any', 'bob'), undefined);
  t.equal(book.of('any', undefined), undefined);
});

t.test(
  'a revocation counts from the stamp of what carries it, else from when it was made, also after a restart',
  async (t) => {
    const { book, store } = openBook();
    await book.revoke('holder', 'guest', 'Ada', { directive: 'ab'.repeat(16), carriedUnixMs: 999_000 });
    await book.revoke('credential', 'other', 'Ada');
    for (const each of [book, openBook(store).book]) {
      t.equal(each.revokedUnixMs('guest'), 999_000);
      t.equal(each.revokedUnixMs('other'), 1_000_000);
      t.equal(each.revokedUnixMs('nobody'), undefined);
    }
  },
);

t.test('the same revocation again is the one that was made, and a number is given once', async (t) => {
  const { book, store, records } = openBook();
  t.equal(await book.revoke('credential', 'card', 'Ada'), 1);
  t.equal(await book.revoke('holder', 'card', 'Ada'), 2, 'a holder of that name is somebody else');
  t.equal(await book.revoke('credential', 'card', 'Bea'), 1);
  t.equal(store.saved.length, 2);
  t.equal(records.length, 2);
  await book.revoke('credential', 'next', 'Ada');
  t.equal(store.saved.length, 3, 'one that was made already saves nothing, and stops no other');
});

t.test('what the policy has absorbed does not lie over it, and any other directive does', async (t) => {
  const [first, second, third] = ['aa'.repeat(16), 'bb'.repeat(16), 'cc'.repeat(16)];
  const { book, absorbed, store, records } = openBook();
  t.equal(await book.revoke('credential', 'card', 'Ada', { directive: first }), 1);
  t.equal(await book.revoke('credential', 'card', 'Bea', { directive: second }), 2);
  t.equal(await book.revoke('credential', 'card', 'Ada', { directive: first }), 1, 'the same one');
  t.equal(records.length, 2);
  absorbed.add(first);
  t.equal(book.of('card', 'ann'), 2, 'as another directive said it too');
  absorbed.add(second);
  t.equal(book.of('card', 'ann'), undefined);
  t.equal(book.newest, 2, 'the journal counts all of them');
  t.notOk(book.has('credential', 'card', third));
  t.equal(await book.revoke('credential', 'card', 'Cy', { directive: third }), 3);
  t.equal(book.of('card', 'ann'), 3, 'revoked once more');
  absorbed.add(third);
  t.equal(await book.revoke('credential', 'card', 'Cy'), 4);
  t.equal(book.of('card', 'ann'), 4, 'by hand at this gateway, which no policy absorbs');
  absorbed.clear();
  for (const each of [book, openBook(store).book]) t.equal(each.of('card', 'ann'), 1, 'an older policy undoes nothing');
});

t.test('what stood before a restart stands after it', async (t) => {
  const { book, store } = openBook();
  await book.revoke('credential', 'card', 'Ada');
  const again = openBook(store);
  t.equal(again.book.of('card', undefined), 1);
  t.equal(await again.book.revoke('credential', 'next', 'Ada'), 2);
});

t.test('a disk that refuses is said, tried again, and no reason to let anybody in', async (t) => {
  const { book, clock, store, failures } = openBook();
  store.isBroken = true;
  await t.rejects(book.revoke('credential', 'card', 'Ada'), { code: 'ERR_GATEWAY_REVOCATION_UNSAVED' });
  await t.rejects(book.revoke('credential', 'next', 'Ada'), { code: 'ERR_GATEWAY_REVOCATION_UNSAVED' });
  t.equal(book.of('card', undefined), 1);
  t.equal(failures.length, 2);
  store.isBroken = false;
  await clock.advance(1_000);
  t.same(
    store.saved.map(({ id }) => id),
    ['card', 'next'],
  );
  t.equal(await book.revoke('credential', 'card', 'Ada'), 1, 'acknowledged now');
});

t.test('a stop waits for the disk, and what fails is not tried again where another may write already', async (t) => {
  const { book, store, clock } = openBook();
  let write: () => void = () => undefined;
  store.hold = new Promise((resolve) => (write = resolve));
  const revoked = book.revoke('credential', 'card', 'Ada');
  await settle();
  let isStopped = false;
  const stopping = book.stop().then(() => (isStopped = true));
  await settle();
  t.notOk(isStopped);
  store.isBroken = true;
  write();
  await Promise.all([stopping, t.rejects(revoked, { code: 'ERR_GATEWAY_REVOCATION_UNSAVED' })]);
  store.isBroken = false;
  await clock.advance(10_000);
  await t.rejects(book.revoke('credential', 'other', 'Ada'), { code: 'ERR_GATEWAY_REVOCATION_UNSAVED' });
  t.same(store.saved, []);
});

t.test('what a list has lost comes back from the journal, and no number is used again', async (t) => {
  const { book, store, records } = openBook(
    new MemoryStore(),
    journalOf(7, revocation(3, 'old'), revocation(6, 'older')),
  );
  t.equal(book.newest, 0, 'the journal refuses grants until it is read');
  await settle();
  t.equal(book.of('old', undefined), 3);
  t.equal(book.newest, 7, 'one that the journal counts and cannot give');
  t.same(
    store.saved.map(({ number }) => number),
    [3, 6],
  );
  t.match(records, [{ name: 'revocation.list_restored', detail: { count: '2' } }]);
  t.equal(await book.revoke('credential', 'new', 'Ada'), 8);
});

t.test('a revocation that the list lost from its middle comes back as well as the last', async (t) => {
  const all = [1, 2, 3, 4, 5].map((number) => revocation(number, `c${number}`));
  const journal = journalOf(5, ...all);
  const store = new MemoryStore();
  store.saved = all.filter(({ number }) => number !== 3);
  const { book, records } = openBook(store, journal);
  t.equal(book.newest, 2, 'the journal refuses grants until it is read');
  await settle();
  t.equal(book.of('c3', undefined), 3);
  t.equal(book.newest, 5);
  t.same(store.saved, all);
  t.match(records, [{ name: 'revocation.list_restored', detail: { count: '1' } }]);
  t.equal(journal.readsCount, 1);
  openBook(store, journal);
  await settle();
  t.equal(journal.readsCount, 1, 'a whole list costs no reading');
});

t.test('one that is made while the journal is read back is in force, and takes no number of another', async (t) => {
  const store = new MemoryStore();
  store.saved = [revocation(1, 'one')];
  let read: () => void = () => undefined;
  const journal = journalOf(3, revocation(1, 'one'), revocation(2, 'two'), revocation(3, 'three'));
  journal.hold = new Promise((resolve) => (read = resolve));
  const { book, clock, records } = openBook(store, journal);
  const [again, late] = [book.revoke('credential', 'three', 'Bea'), book.revoke('credential', 'new', 'Ada')];
  const unsaved = [again, late].map((each) => t.rejects(each, { code: 'ERR_GATEWAY_REVOCATION_UNSAVED' }));
  t.equal(book.of('new', undefined), 0);
  t.same([book.newest, store.saved.length, records.length], [1, 1, 0]);
  await clock.advance(3_000);
  await Promise.all(unsaved);
  const patient = book.revoke('credential', 'new', 'Ada');
  read();
  t.equal(await patient, 4);
  t.equal(book.of('three', undefined), 3, 'the journal had it');
  t.same(
    store.saved.map(({ number, id, by }) => [number, id, by]),
    [
      [1, 'one', 'Ada'],
      [2, 'two', 'Ada'],
      [3, 'three', 'Ada'],
      [4, 'new', 'Ada'],
    ],
  );
  t.match(records, [{ name: 'revocation.list_restored' }, { credentialId: 'new', detail: { number: '4' } }]);
});

t.test('the list that was taken from the journal and what comes meanwhile do not write over each other', async (t) => {
  const store = new MemoryStore();
  store.isBroken = true;
  const { book, clock, failures } = openBook(store, journalOf(1, revocation(1, 'old')));
  await settle();
  t.same(failures, ['a revocation cannot be saved']);
  let write: () => void = () => undefined;
  store.hold = new Promise((resolve) => (write = resolve));
  store.isBroken = false;
  await clock.advance(1_000);
  const revoked = book.revoke('credential', 'new', 'Ada');
  await settle();
  t.same([store.writersCount, store.saved.length], [1, 0]);
  write();
  t.equal(await revoked, 2);
  t.same(
    store.saved.map(({ id }) => id),
    ['old', 'new'],
  );
});

t.test('where the journal cannot be read back, grants stay refused and new revocations are kept', async (t) => {
  const journal = journalOf(5);
  journal.hold = Promise.reject(new Error('EIO'));
  const { book, store, records } = openBook(new MemoryStore(), journal);
  await settle();
  t.match(records, [{ name: 'revocation.list_damaged' }]);
  t.equal(await book.revoke('credential', 'new', 'Ada'), 6);
  t.equal(store.saved.length, 1);
  t.equal(book.newest, 0, 'less than the journal knows of');
});

t.test('a list that is full refuses, and says where else', async (t) => {
  const store = new MemoryStore();
  store.saved = Array.from({ length: REVOCATIONS_MAX }, (_, index) => revocation(index + 1, `card-${index}`));
  const { book } = openBook(store);
  await t.rejects(book.revoke('credential', 'one-more', 'Ada'), { code: 'ERR_GATEWAY_ORDER_REFUSED' });
  t.equal(book.of('one-more', undefined), undefined);
  t.equal(await book.revoke('credential', 'card-9', 'Ada'), 10);
});

t.test('one operator fills a share of the list, and everybody else still revokes', async (t) => {
  const store = new MemoryStore();
  store.saved = Array.from({ length: REVOCATIONS_OF_ONE_MAX - 1 }, (_, index) => ({
    ...revocation(index + 1, `card-${index}`),
    by: 'Mallory',
    directive: `d-${index}`,
  }));
  const { book } = openBook(store);
  const revoke = (id: string, by: string) => book.revoke('credential', id, by, { directive: id });
  await revoke('the-last', 'Mallory');
  await t.rejects(revoke('one-more', 'Mallory'), { code: 'ERR_GATEWAY_ORDER_REFUSED' });
  t.equal(book.of('one-more', undefined), undefined);
  for (const by of ['Ada', AUTHORITY_NAME]) t.ok(await revoke(`by ${by}`, by));
  t.ok(await book.revoke('credential', 'by hand', 'Mallory'));
});
