import t from 'tap';
import { JournalLog, readEntries, SqliteLogStore, verifyLedger, type OpenJournal } from '@sparc/edge/ledger';
import { signAcknowledgement } from '@sparc/protocol/cloud-link';
import type { SparcError } from '@sparc/protocol/errors';
import type { EventRecord } from '@sparc/protocol/events';
import { KEPT_MS, type SignedHead } from '@sparc/protocol/ledger';
import { tipsOf } from '@sparc/protocol/replication';
import { testSigner } from '../../support/test-signer.js';
import { JournalOnDisk, opened } from './journal-on-disk.js';

const cloud = testSigner(99);
const DAY_MS = 86_400_000;
const lockdown: EventRecord = { name: 'site.lockdown' };

interface Word {
  readonly signer?: ReturnType<typeof testSigner>;
  readonly site?: string;
  readonly heads?: readonly SignedHead[];
  readonly complete?: boolean;
}

const headsOf = ({ path, signer }: JournalOnDisk): readonly SignedHead[] => {
  const log = new JournalLog(path, signer.publicKey);
  try {
    return tipsOf(log.log());
  } finally {
    log.close();
  }
};

/** What the cloud says at this moment of a journal: that it has it to its end, if not something else. */
const wordOf = (journal: JournalOnDisk, { signer = cloud, site = 'harbour', heads, complete = true }: Word = {}) =>
  signAcknowledgement(signer, {
    site,
    issuedUnixMs: journal.clock.wall().unixMs,
    complete,
    heads: [...(heads ?? headsOf(journal))],
  });

const emptiedIn = ({ path }: JournalOnDisk) =>
  readEntries(path, { limit: 10_000 }).filter(({ digest }) => digest !== undefined).length;

/** Two runs, of which the second goes on; `old` is the word of the cloud on their end, a little more than seven days ago. */
async function week(t: Parameters<typeof JournalOnDisk.create>[0]) {
  const journal = await JournalOnDisk.create(t);
  await journal.write(1, [opened, lockdown, opened], ...Array.from({ length: 150 }, () => [opened]));
  const running = await journal.open(2);
  await running.writer.append({ record: opened });
  const old = wordOf(journal);
  await journal.clock.advance(KEPT_MS + 1_000);
  await running.writer.append({ record: opened });
  return { journal, running, old, newest: wordOf(journal) };
}

async function said(journal: JournalOnDisk, { empty }: OpenJournal, words: readonly Uint8Array[]): Promise<number> {
  await empty({ words, cloudKey: cloud.publicKey }, journal.clock.wall());
  await journal.clock.advance(5_000);
  return emptiedIn(journal);
}

t.test('what the cloud has had for seven days and has still is emptied, while the journal is written', async (t) => {
  const { journal, running, old, newest } = await week(t);
  t.equal(
    await said(journal, running, [old, newest]),
    152 + 1,
    'all but what lasts, and what the old word does not name',
  );
  t.match(verifyLedger(journal.path), { ok: true, emptiedCount: 153, entryCount: 157 });
  const records = readEntries(journal.path, { limit: 1_000 }).map(({ record }) => record?.name);
  t.equal(records.filter((name) => name === 'site.lockdown').length, 1);
  t.equal(records.at(-1), 'door.opened');
  await running.writer.append({ record: opened });
  await running.close();
  await journal.write(3, [opened]);
  t.match(verifyLedger(journal.path, { author: journal.signer.publicKey }), { ok: true, epochCount: 3 });
});

t.test('it is not begun at a start, and goes on after one where it stood', async (t) => {
  const { journal, running, old, newest } = await week(t);
  await running.empty({ words: [old, newest], cloudKey: cloud.publicKey }, journal.clock.wall());
  await journal.clock.advance(70);
  const first = emptiedIn(journal);
  t.ok(first > 0 && first < 153, String(first));
  await running.close();
  const again = await journal.open(3);
  await journal.clock.advance(5_000);
  t.equal(emptiedIn(journal), first);
  t.equal(await said(journal, again, [old, newest]), 153);
  await again.close();
});

t.test('nothing is emptied on a word that is not the cloud’s, not for this site, or too young', async (t) => {
  const { journal, running, old, newest } = await week(t);
  for (const [what, words] of [
    ['forged', [wordOf(journal, { signer: testSigner(98) }), newest]],
    ['of another site', [wordOf(journal, { site: 'airport' }), newest]],
    ['no word', [Uint8Array.of(1, 2, 3), newest]],
  ] as const) {
    const empty = running.empty({ words, cloudKey: cloud.publicKey }, journal.clock.wall());
    await t.rejects(empty, { code: 'ERR_LINK_ACKNOWLEDGEMENT_INVALID' }, what);
  }
  t.equal(await said(journal, running, [newest]), 0, 'the entries are old, but not what the cloud said');
  t.equal(await said(journal, running, [old]), 0, 'nobody knows what it says now');
  t.equal(await said(journal, running, []), 0);
  for (const quality of ['unsynced', 'stepped'] as const) {
    await running.empty({ words: [old, newest], cloudKey: cloud.publicKey }, { ...journal.clock.wall(), quality });
    await journal.clock.advance(5_000);
    t.equal(emptiedIn(journal), 0, quality);
  }
  await running.empty(
    { words: [old, newest], cloudKey: cloud.publicKey },
    { ...journal.clock.wall(), errorMs: 120_000 },
  );
  await journal.clock.advance(5_000);
  t.equal(emptiedIn(journal), 0, 'the clock may be ahead');
  t.equal(await said(journal, running, [old, newest]), 153);
  await running.close();
});

t.test('nothing is emptied that the cloud has otherwise, or has no more', async (t) => {
  const { journal, running, old, newest } = await week(t);
  const [tip] = headsOf(journal);
  const other = tip && { ...tip, hash: new Uint8Array(32).fill(7) };
  t.equal(await said(journal, running, [old, wordOf(journal, { heads: other ? [other] : [] })]), 0, 'a fork');
  t.equal(await said(journal, running, [old, wordOf(journal, { heads: [] })]), 0, 'it lost everything');
  t.equal(await said(journal, running, [old, wordOf(journal, { complete: false })]), 0, 'a part of what it has');

  const log = new JournalLog(journal.path, journal.signer.publicKey);
  const [first] = log.log();
  log.close();
  t.equal(
    await said(journal, running, [old, wordOf(journal, { heads: first ? [first.head] : [] })]),
    152,
    'it was restored from a backup, and has one epoch',
  );
  t.equal(await said(journal, running, [old, newest]), 153);
  await running.close();
});

t.test('a word is judged by the entries that it names, however many epochs there are', async (t) => {
  const journal = await JournalOnDisk.create(t);
  for (let seed = 1; seed <= 20; seed++) await journal.write(seed, [opened]);
  const old = wordOf(journal);
  await journal.clock.advance(KEPT_MS);
  const running = await journal.open(21);
  // eslint-disable-next-line @typescript-eslint/unbound-method -- it is put back where it was
  const read = t.capture(SqliteLogStore.prototype, 'entries', SqliteLogStore.prototype.entries);
  t.equal(await said(journal, running, [old, wordOf(journal)]), 20);
  t.same(
    read().map(({ args: [, limit] }) => limit),
    [1, 1],
  );
  await running.close();
});

t.test('an entry that is damaged is told of, stays, and stops nothing else', async (t) => {
  const { journal, running, old, newest } = await week(t);
  await running.close();
  journal.alter((database) =>
    database.exec(`UPDATE entry SET content = (SELECT content FROM entry WHERE epoch = 1 AND sequence = 2)
      WHERE epoch = 1 AND sequence = 90`),
  );
  const failures: SparcError[] = [];
  const again = await journal.open(3, journal.signer, { onEmptyingFailed: (error) => failures.push(error) });
  t.equal(await said(journal, again, [old, newest]), 62, 'the piece before');
  t.match(failures, [{ code: 'ERR_LEDGER_CORRUPT', message: /1\/90/ }]);
  await again.writer.append({ record: opened });
  await again.close();
});

t.test('what is appended meanwhile comes before the next piece', async (t) => {
  const { journal, running, old, newest } = await week(t);
  await running.empty({ words: [old, newest], cloudKey: cloud.publicKey }, journal.clock.wall());
  for (let count = 0; emptiedIn(journal) < 153; count++) {
    t.ok(count < 100);
    const appended = [running.writer.append({ record: opened }), running.writer.append({ record: lockdown })];
    await journal.clock.advance(10);
    await Promise.all(appended);
  }
  t.match(verifyLedger(journal.path), { ok: true, emptiedCount: 153 });
  await journal.clock.advance(DAY_MS);
  await running.close();
});
