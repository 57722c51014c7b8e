import assert from 'node:assert/strict';
import t from 'tap';
import {
  BATCH_BYTES,
  exportLedger,
  JournalLog,
  nodeCrypto,
  PIECE_ENTRIES,
  readEntries,
  SqliteLogStore,
  verifyLedger,
} from '@sparc/edge/ledger';
import { Database } from '@sparc/edge/platform';
import type { EventRecord } from '@sparc/protocol/events';
import { BatchFile, encodeBatch, verifyBatch, type Position } from '@sparc/protocol/ledger';
import { emptyJournal } from '../../support/journal.js';
import { granted, JournalOnDisk, opened } from './journal-on-disk.js';

const revoked: EventRecord = {
  name: 'revocation.applied',
  credentialId: 'anna',
  detail: { by: 'olga', number: '1' },
};
const commits = (count: number, ...records: readonly EventRecord[]) =>
  Array.from({ length: count }, () => (records.length === 0 ? [opened] : records));

const empty = ({ folder }: JournalOnDisk, to: Position, pieces?: number) => emptyJournal(folder, to, pieces);

/** The names of what the log says, and `undefined` for what is emptied. */
const said = ({ path }: JournalOnDisk) =>
  readEntries(path, { limit: 10_000 })
    .filter(({ kind }) => kind === 'event')
    .map(({ record }) => record?.name);

const headsOf = (journal: JournalOnDisk) =>
  journal.rows<[number, number]>('SELECT epoch, sequence FROM head ORDER BY epoch, sequence');

/** What a neighbour gets who has the log to any place of it is signed, and is the next. */
function assertServedFromEverywhere({ path, signer }: JournalOnDisk): void {
  const log = new JournalLog(path, signer.publicKey);
  try {
    for (const { head } of log.log()) {
      for (let sequence = 0; sequence < head.sequence; sequence++) {
        const batch = log.batchAfter({ epoch: head.epoch, sequence });
        assert.ok(batch);
        assert.equal(batch.firstSequence, sequence + 1);
        verifyBatch(nodeCrypto, batch);
        assert.ok(encodeBatch(batch).length < 2 * BATCH_BYTES);
      }
    }
  } finally {
    log.close();
  }
}

t.test('what passes is emptied up to a place, what lasts stays, and the log verifies', async (t) => {
  const journal = await JournalOnDisk.create(t);
  await journal.write(1, [opened, revoked], [opened], [opened]);
  await journal.write(2, [opened], [granted]);
  t.equal(empty(journal, { epoch: 1, sequence: 4 }), 1);
  t.same(said(journal), [undefined, 'revocation.applied', undefined, 'door.opened', 'door.opened', 'access.granted']);
  t.match(verifyLedger(journal.path), { ok: true, entryCount: 8, emptiedCount: 2, provenTo: { sequence: 3 } });
  t.equal(empty(journal, { epoch: 2, sequence: 2 }), 2);
  t.same(said(journal), [undefined, 'revocation.applied', undefined, undefined, undefined, 'access.granted']);
  t.equal(empty(journal, { epoch: 1, sequence: 4 }), 0, 'not again');
  t.match(readEntries(journal.path, { limit: 2 }), [{ digest: { length: 32 } }, { digest: undefined }]);

  await journal.write(3, [opened]);
  t.match(verifyLedger(journal.path), { ok: true, entryCount: 10, emptiedCount: 4, epochCount: 3 }, 'and goes on');
});

t.test('it ends between heads where the cloud has no more, and never behind it', async (t) => {
  const journal = await JournalOnDisk.create(t);
  await journal.write(1, [opened], [opened, opened, opened]);
  t.equal(empty(journal, { epoch: 1, sequence: 4 }), 1);
  t.same(said(journal), [undefined, 'door.opened', 'door.opened', 'door.opened']);
  t.equal(empty(journal, { epoch: 0, sequence: 9 }), 0);
});

t.test('it goes on where it stood, one head for each piece and the last of an epoch stay', async (t) => {
  const journal = await JournalOnDisk.create(t);
  await journal.write(1, ...commits(3 * PIECE_ENTRIES));
  await journal.write(2, ...commits(3));
  const end = { epoch: 2, sequence: 4 };
  t.equal(empty(journal, end, 2), 2);
  t.match(verifyLedger(journal.path), { ok: true, emptiedCount: 2 * PIECE_ENTRIES - 1 });
  assertServedFromEverywhere(journal);
  t.equal(empty(journal, end), 3);
  t.same(headsOf(journal), [
    ...[1, 2, 3].map((piece) => [1, piece * PIECE_ENTRIES]),
    [1, 3 * PIECE_ENTRIES + 1],
    [2, 4],
  ]);
  assertServedFromEverywhere(journal);
  const pieces: Uint8Array[] = [];
  exportLedger(journal.path, 'batches', (piece) => pieces.push(piece));
  const { batches } = BatchFile.decode(Buffer.concat(pieces));
  t.equal(
    batches.map((batch) => verifyBatch(nodeCrypto, batch).entries.length).reduce((a, b) => a + b),
    3 * 64 + 5,
  );
  t.equal(verifyLedger(journal.path).problem, undefined);
});

t.test('a commit that is larger than a piece goes alone', async (t) => {
  const journal = await JournalOnDisk.create(t);
  await journal.write(1, [opened], Array(250).fill(opened), [opened]);
  t.equal(empty(journal, { epoch: 1, sequence: 253 }), 3);
  t.same(
    headsOf(journal),
    [2, 252, 253].map((sequence) => [1, sequence]),
  );
  t.match(verifyLedger(journal.path), { ok: true, emptiedCount: 252 });
});

t.test('heads over long entries that last stay, or a batch of them could not be sent', async (t) => {
  const journal = await JournalOnDisk.create(t);
  const long = Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`note${index}`, 'x'.repeat(2_000)]));
  await journal.write(1, ...commits(40, { ...revoked, detail: { ...revoked.detail, ...long } }));
  t.equal(empty(journal, { epoch: 1, sequence: 41 }), 1);
  t.ok(headsOf(journal).length > 30);
  assertServedFromEverywhere(journal);
});

t.test('an entry that is not what its author wrote stays, and all behind it', async (t) => {
  const journal = await JournalOnDisk.create(t);
  await journal.write(1, ...commits(PIECE_ENTRIES + 8));
  const at = PIECE_ENTRIES + 4;
  journal.alter((database) => {
    const [content] = database.prepare(`SELECT content FROM entry WHERE sequence = ${at}`).pluck().all() as [Buffer];
    content[content.length - 4]! ^= 1;
    database.prepare(`UPDATE entry SET content = ? WHERE sequence = ${at}`).run(content);
  });
  t.throws(() => empty(journal, { epoch: 1, sequence: 1_000 }), { code: 'ERR_LEDGER_CORRUPT' });
  t.equal(said(journal).filter((name) => name === undefined).length, PIECE_ENTRIES - 1, 'what is before it went');
  t.equal(headsOf(journal).length, 1 + 9);
  t.match(verifyLedger(journal.path), { ok: false, problem: { at: { epoch: 1, sequence: at } } });
});

t.test('an older schema is brought up, and its entries are emptied', async (t) => {
  const journal = await JournalOnDisk.create(t);
  await journal.write(1, [opened]);
  journal.alter((database) => database.exec('DROP TABLE emptied_to; PRAGMA user_version = 1'));
  t.match(verifyLedger(journal.path), { ok: true }, 'it is read as it is');
  t.equal(empty(journal, { epoch: 1, sequence: 2 }), 1);
  t.match(verifyLedger(journal.path), { ok: true, emptiedCount: 1 });
});

t.test('what is kept for the next start is checked as far as what is left says it', async (t) => {
  const journal = await JournalOnDisk.create(t);
  await journal.write(1, [{ name: 'policy.loaded', detail: { revision: 'r7' } }, granted]);
  await journal.write(2, [revoked, opened]);
  t.equal(empty(journal, { epoch: 1, sequence: 3 }), 1);
  t.match(verifyLedger(journal.path), { ok: true, emptiedCount: 1 }, 'of the grant nobody knows what became');
  const whole = journal.rows<[Buffer]>('SELECT recovery FROM head WHERE recovery IS NOT NULL')[0]?.[0];
  for (const [from, to] of [
    ['r7', 'r6'],
    // Number of the newest revocation.
    ['\x18\x01', '\x18\x02'],
  ] as const) {
    const recovery = Buffer.from(whole?.toString('latin1').replace(from, to) ?? '', 'latin1');
    journal.alter((database) =>
      database.prepare('UPDATE head SET recovery = ? WHERE recovery IS NOT NULL').run(recovery),
    );
    t.match(verifyLedger(journal.path), { problem: { code: 'ERR_LEDGER_RECOVERY_ALTERED' } }, from.trim());
  }
  journal.alter((database) => database.prepare('UPDATE head SET recovery = ? WHERE recovery IS NOT NULL').run(whole));
  t.match(verifyLedger(journal.path), { ok: true });
  const { report, close } = await journal.open(3);
  t.match(report.openGrants, [{ id: { epoch: 1, sequence: 3 }, record: undefined }], 'it is closed without a name');
  await close();
});

t.test('the pages of what was emptied are used again', async (t) => {
  const journal = await JournalOnDisk.create(t);
  const used: number[] = [];
  for (let day = 1; day <= 6; day++) {
    await journal.write(day, ...commits(600, granted));
    if (day > 2) empty(journal, { epoch: day - 2, sequence: 601 });
    used.push(journal.rows<[number]>('PRAGMA page_count')[0]?.[0] ?? 0);
  }
  const growth = used.slice(1).map((pages, day) => pages - (used[day] ?? 0));
  const full = Math.max(...growth.slice(0, 2));
  t.ok(Math.max(...growth.slice(-3)) < 0.6 * full, `a day takes ${full} pages, later ${growth.slice(2).join(', ')}`);
});

t.test(
  'while somebody reads the file from end to end no more is emptied than the log beside it may grow by',
  async (t) => {
    const journal = await JournalOnDisk.create(t);
    await journal.write(1, ...commits(100, ...Array.from({ length: PIECE_ENTRIES }, () => opened)));
    const store = SqliteLogStore.open(journal.path);
    const reader = new Database(journal.path, { readonly: true });
    const emptyFor = (pieces: number) => {
      for (let count = 0; count < pieces; count++) {
        store.rest();
        store.empty({ epoch: 1, sequence: 100 * PIECE_ENTRIES });
      }
      return said(journal).filter((name) => name === undefined).length / PIECE_ENTRIES;
    };
    reader.exec('BEGIN; SELECT count(*) FROM entry');
    const before = emptyFor(300);
    t.ok(before > 10 && before < 60, `${before} of 100 pieces`);
    reader.exec('COMMIT');
    t.equal(emptyFor(300), 99);
    reader.close();
    store.close();
  },
);
