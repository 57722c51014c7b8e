import t from 'tap';
import type { EventDraft } from '@sparc/protocol/events';
import { RevocationBook, REVOCATIONS_MAX, type Revocation, type RevocationStore } from '@sparc/edge/revocation';
import { VirtualClock } from '@sparc/simulator/world';

/** A disk that can be slow or broken. */
class MemoryStore implements RevocationStore {
  saved: Revocation[] = [];
  isBroken = false;
  hold: Promise<void> = Promise.resolve();

  load() {
    return { revocations: this.saved };
  }

  async append(revocation: Revocation) {
    await this.hold;
    if (this.isBroken) throw new Error('ENOSPC');
    this.saved.push(revocation);
  }

  async replace(revocations: readonly Revocation[]) {
    this.saved = [...revocations];
  }
}

function openBook(store = new MemoryStore()) {
  const clock = new VirtualClock({ startUnixMs: 1_000_000 });
  const records: EventDraft[] = [];
  const failures: string[] = [];
  const book = new RevocationBook({
    clock,
    store,
    record: (event) => void records.push(event),
    onFailure: (_error, what) => void failures.push(what),
  });
  book.start();
  return { book, clock, store, records, failures };
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

t.test('the same revocation again is the one that was made, and a number is given once', async (t) => {
  const { book, store, records } = openBook();
  t.equal(await book.revoke('credential', 'card', 'Ada'), 1);
  t.equal(await book.revoke('holder', 'card', 'Ada'), 2, 'a holder of that name is somebody else');
  t.equal(await book.revoke('credential', 'card', 'Bea'), 1);
  t.equal(store.saved.length, 2);
  t.equal(records.length, 2);
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

t.test('what a list has lost comes back from the journal, and no number is used again', async (t) => {
  const { book, store, records } = openBook();
  await book.restore({ newest: 7, revocations: [revocation(3, 'old'), revocation(6, 'older')] });
  t.equal(book.of('old', undefined), 3);
  t.equal(book.newest, 7, 'one that the journal counts and cannot give');
  t.same(
    store.saved.map(({ number }) => number),
    [3, 6],
  );
  t.match(records, [{ name: 'revocation.list_restored', detail: { count: '2' } }]);
  t.equal(await book.revoke('credential', 'new', 'Ada'), 8);
});

t.test('a list that is full refuses, and says where else', async (t) => {
  const store = new MemoryStore();
  store.saved = Array.from({ length: REVOCATIONS_MAX }, (_, index) => revocation(index + 1, `card-${index}`));
  const { book } = openBook(store);
  await t.rejects(book.revoke('credential', 'one-more', 'Ada'), { code: 'ERR_GATEWAY_ORDER_REFUSED' });
  t.equal(book.of('one-more', undefined), undefined);
  t.equal(await book.revoke('credential', 'card-9', 'Ada'), 10);
});
