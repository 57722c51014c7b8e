import { copyFile, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { exportLedger, nodeCrypto, readEntries, verifyLedger, type VerifyReport } from '@sparc/edge/ledger';
import { BatchFile, headToText, NO_HASH, pureCrypto, signHead, verifyBatch, type Link } from '@sparc/protocol/ledger';
import { testSigner } from '../../support/test-signer.js';
import { granted, JournalOnDisk, opened } from './journal-on-disk.js';

type Teardown = Parameters<typeof JournalOnDisk.create>[0];

/** Two epochs, 12 entries. */
async function written(t: Teardown): Promise<JournalOnDisk> {
  const journal = await JournalOnDisk.create(t);
  await journal.write(1, [opened, granted], [opened, opened, opened], [granted]);
  await journal.write(2, [opened], [opened, opened, granted]);
  return journal;
}

const problem = ({ problem }: VerifyReport) => problem && [problem.code, problem.at];

t.test('a journal that nobody touched is proven to its end, by two implementations', async (t) => {
  const journal = await written(t);
  for (const crypto of [nodeCrypto, pureCrypto]) {
    const report = verifyLedger(journal.path, { author: journal.signer.publicKey, crypto });
    t.match(report, { ok: true, entryCount: 12, epochCount: 2, begunAnew: false, witness: 'compared' });
    t.match(report.provenTo, { epoch: { counter: 2 }, sequence: 5 });
  }
});

t.test('a flipped bit in any column of any row is found', async (t) => {
  const journal = await written(t);
  const whole = await readFile(journal.path);
  const cells = [
    ['entry', 'content'],
    ['entry', 'hash'],
    ['head', 'signature'],
    ['epoch', 'random'],
    ['epoch', 'author'],
  ] as const;
  const missed: string[] = [];
  for (const [table, column] of cells) {
    let rows: { key: string; length: number }[] = [];
    journal.alter((database) => {
      const key = table === 'epoch' ? 'counter' : `epoch || '/' || sequence`;
      const select = `SELECT ${key} AS key, length(${column}) AS length FROM ${table} ORDER BY 1`;
      rows = database.prepare<[], { key: string; length: number }>(select).all();
    });
    for (const { key, length } of rows) {
      for (const at of [0, Math.floor(length / 2), length - 1]) {
        journal.alter((database) => {
          const where = table === 'epoch' ? 'counter = ?' : `epoch || '/' || sequence = ?`;
          const cell = database.prepare(`SELECT ${column} FROM ${table} WHERE ${where}`).pluck().get(key) as Buffer;
          cell[at]! ^= 1 << (at % 8);
          database.prepare(`UPDATE ${table} SET ${column} = ? WHERE ${where}`).run(cell, key);
        });
        if (verifyLedger(journal.path).ok) missed.push(`${table}.${column} ${key} byte ${at}`);
        await writeFile(journal.path, whole);
      }
    }
  }
  t.same(missed, []);
});

t.test('a flipped bit anywhere in the file is found, or changes nothing that the journal says', async (t) => {
  const journal = await written(t);
  const whole = await readFile(journal.path);
  const says = () => {
    const lines: string[] = [];
    exportLedger(journal.path, 'lines', (piece) => lines.push(Buffer.from(piece).toString()));
    return lines.join('');
  };
  const truth = says();
  let foundCount = 0;
  const missed: number[] = [];
  for (let bit = 3; bit < whole.length * 8; bit += 131) {
    const flipped = Buffer.from(whole);
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    await writeFile(journal.path, flipped);
    if (!verifyLedger(journal.path).ok) foundCount += 1;
    else if (says() !== truth) missed.push(bit);
  }
  t.same(missed, []);
  t.ok(foundCount > 50, `${foundCount} flips were found`);
});

t.test('what was removed, added or put elsewhere is named with its place', async (t) => {
  const journal = await written(t);
  const whole = await readFile(journal.path);
  const at = (epoch: number, sequence: number) => ({ epoch, sequence });
  const swap = (a: string, b: string, columns: string) =>
    `UPDATE entry SET (${columns}) = (SELECT ${columns} FROM entry AS o WHERE o.epoch || '/' || o.sequence =
       CASE entry.epoch || '/' || entry.sequence WHEN '${a}' THEN '${b}' ELSE '${a}' END)
     WHERE epoch || '/' || sequence IN ('${a}', '${b}')`;
  const cases: readonly (readonly [string, string, unknown])[] = [
    ['an entry removed', 'DELETE FROM entry WHERE epoch = 1 AND sequence = 5', ['ERR_LEDGER_ENTRY_MISSING', at(1, 6)]],
    ['the first removed', 'DELETE FROM entry WHERE epoch = 1 AND sequence = 1', ['ERR_LEDGER_ENTRY_MISSING', at(1, 2)]],
    ['an epoch removed', 'DELETE FROM entry WHERE epoch = 1', ['ERR_LEDGER_ENTRY_MISSING', at(2, 1)]],
    [
      'an epoch and its heads removed',
      'DELETE FROM entry WHERE epoch = 1; DELETE FROM head WHERE epoch = 1',
      ['ERR_LEDGER_ENTRY_MISSING', at(2, 1)],
    ],
    ['two entries swapped', swap('1/4', '1/5', 'hash, content'), ['ERR_LEDGER_ENTRY_ALTERED', at(1, 4)]],
    ['two contents swapped', swap('1/4', '1/5', 'content'), ['ERR_LEDGER_ENTRY_ALTERED', at(1, 4)]],
    [
      'the last entry removed',
      'DELETE FROM entry WHERE epoch = 2 AND sequence = 5',
      ['ERR_LEDGER_TAIL_MISSING', at(2, 5)],
    ],
    [
      'the last commit removed',
      'DELETE FROM entry WHERE epoch = 2 AND sequence > 2',
      ['ERR_LEDGER_TAIL_MISSING', at(2, 5)],
    ],
    ['all entries removed', 'DELETE FROM entry', ['ERR_LEDGER_TAIL_MISSING', at(1, 1)]],
    [
      'the last head removed',
      'DELETE FROM head WHERE epoch = 2 AND sequence = 5',
      ['ERR_LEDGER_HEAD_MISSING', at(2, 3)],
    ],
    ['a head in the middle removed', 'DELETE FROM head WHERE epoch = 1 AND sequence = 3', undefined],
    [
      'an entry added',
      `INSERT INTO entry SELECT epoch, sequence + 1, hash, content FROM entry WHERE epoch = 2 AND sequence = 5`,
      ['ERR_LEDGER_ENTRY_ALTERED', at(2, 6)],
    ],
    [
      'a head renamed',
      'UPDATE head SET sequence = 99 WHERE epoch = 1 AND sequence = 6',
      ['ERR_LEDGER_TAIL_MISSING', at(1, 99)],
    ],
    [
      'the site renamed',
      `UPDATE epoch SET site = 'mole' WHERE counter = 1`,
      ['ERR_LEDGER_SIGNATURE_INVALID', at(1, 1)],
    ],
    [
      'what a start needs altered',
      `UPDATE head SET recovery = x'00' WHERE epoch = 2 AND sequence = 5`,
      ['ERR_LEDGER_RECOVERY_ALTERED', at(2, 5)],
    ],
    ['what a start needs removed', `UPDATE head SET recovery = NULL`, ['ERR_LEDGER_RECOVERY_ALTERED', at(2, 5)]],
  ];
  for (const [what, sql, expected] of cases) {
    await writeFile(journal.path, whole);
    journal.alter((database) => {
      database.pragma('foreign_keys = OFF');
      database.exec(sql);
    });
    t.same(problem(verifyLedger(journal.path)), expected, what);
  }
});

t.test('up to the first problem, what was signed stays proven', async (t) => {
  const journal = await written(t);
  journal.alter((database) => database.exec(`UPDATE entry SET content = zeroblob(9) WHERE epoch = 2 AND sequence = 3`));
  const report = verifyLedger(journal.path);
  t.match(report, { ok: false, entryCount: 9 });
  t.same(problem(report), ['ERR_LEDGER_ENTRY_ALTERED', { epoch: 2, sequence: 3 }]);
  t.match(report.provenTo, { epoch: { counter: 2 }, sequence: 2 });
});

t.test('a file made to exhaust its reader is damaged, soon', async (t) => {
  const journal = await written(t);
  const whole = await readFile(journal.path);
  const hostile: Readonly<Record<string, string>> = {
    'a cell larger than any of ours': `UPDATE entry SET content = zeroblob(131073) WHERE epoch = 2 AND sequence = 3`,
    'a long site, joined to each head': `UPDATE epoch SET site = printf('%.*c', 200000, 'x')`,
    'a table that is an endless view': `DROP TABLE entry; CREATE VIEW entry AS
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
      SELECT 1 AS epoch, i AS sequence, zeroblob(32) AS hash, zeroblob(40) AS content FROM n`,
  };
  for (const [what, sql] of Object.entries(hostile)) {
    await writeFile(journal.path, whole);
    journal.alter((database) => {
      database.pragma('foreign_keys = OFF');
      database.exec(sql);
    });
    t.equal(problem(verifyLedger(journal.path))?.[0], 'ERR_LEDGER_CORRUPT', what);
    t.throws(() => exportLedger(journal.path, 'lines', () => undefined), { code: 'ERR_LEDGER_CORRUPT' }, what);
  }
});

t.test('a log cut back to an earlier commit is shown by a head from outside, and by nothing else', async (t) => {
  const journal = await written(t);
  const head = verifyLedger(journal.path).provenTo!;
  const cut = `DELETE FROM entry WHERE epoch = 2 AND sequence > 2; DELETE FROM head WHERE epoch = 2 AND sequence > 2;
    UPDATE head SET recovery = x'' WHERE epoch = 2 AND sequence = 2`;
  journal.alter((database) => {
    // A grant of epoch 1 is open, as the recovery of an honest earlier copy says.
    const recovery = database.prepare('SELECT recovery FROM head WHERE recovery IS NOT NULL').pluck().get() as Buffer;
    database.exec(cut);
    database.prepare('UPDATE head SET recovery = ? WHERE epoch = 2 AND sequence = 2').run(recovery.subarray(0, -6));
  });
  t.same(
    problem(verifyLedger(journal.path)),
    ['ERR_LEDGER_TAIL_MISSING', { epoch: 2, sequence: 5 }],
    'the witness file',
  );
  await rm(join(journal.folder, 'journal.head'));
  t.match(verifyLedger(journal.path), { ok: true, witness: 'absent' }, 'without any it cannot be seen');
  t.same(problem(verifyLedger(journal.path, { expectedHead: head })), [
    'ERR_LEDGER_TAIL_MISSING',
    { epoch: 2, sequence: 5 },
  ]);
});

t.test('a head from outside of a log that went another way is a problem', async (t) => {
  const journal = await written(t);
  const { provenTo: head } = verifyLedger(journal.path);
  const expect = (expectedHead: typeof head) =>
    problem(verifyLedger(journal.path, { expectedHead: expectedHead! }))?.[0];
  const other = { ...head!, sequence: 3, hash: NO_HASH };
  t.equal(expect(head), undefined);
  t.equal(expect(signHead(journal.signer, other)), 'ERR_LEDGER_ENTRY_ALTERED');
  t.equal(expect(other), 'ERR_LEDGER_SIGNATURE_INVALID');
  t.equal(expect(signHead(testSigner(2), { ...other, author: testSigner(2).publicKey })), 'ERR_LEDGER_AUTHOR_MISMATCH');
  t.equal(problem(verifyLedger(journal.path, { author: testSigner(2).publicKey }))?.[0], 'ERR_LEDGER_AUTHOR_MISMATCH');
  await writeFile(join(journal.folder, 'journal.head'), 'garbage');
  t.match(verifyLedger(journal.path), { ok: true, witness: 'unreadable' });
  await writeFile(join(journal.folder, 'journal.head'), headToText(signHead(testSigner(2), other)));
  t.match(verifyLedger(journal.path), { ok: true, witness: 'unreadable' }, 'one of another key is none');
});

t.test('a missing file is an error, a foreign one a report', async (t) => {
  const journal = await JournalOnDisk.create(t);
  t.throws(() => verifyLedger(journal.path), { code: 'ERR_LEDGER_ABSENT' });
  t.throws(() => readEntries(journal.path, { limit: 1 }), { code: 'ERR_LEDGER_ABSENT' });
  await writeFile(journal.path, 'no database at all, but longer than the header of one'.repeat(30));
  t.equal(problem(verifyLedger(journal.path))?.[0], 'ERR_LEDGER_CORRUPT');
});

t.test('a journal is read and verified while its gateway writes', async (t) => {
  const journal = await JournalOnDisk.create(t);
  const { writer, close } = await journal.open();
  await writer.append({ record: granted });
  t.match(verifyLedger(journal.path), { ok: true, entryCount: 2 });
  t.match(readEntries(journal.path, { after: { epoch: 1, sequence: 1 }, limit: 5 }), [
    { id: { epoch: 1, sequence: 2 }, kind: 'event', record: granted },
  ]);
  await writer.append({ record: opened });
  t.equal(readEntries(journal.path, { limit: 2 }).length, 2);
  await close();
});

t.test('batches of an export are verified by whoever gets them, and say what the journal says', async (t) => {
  const journal = await written(t);
  await journal.write(
    3,
    Array.from({ length: 1_200 }, () => opened),
  );
  const pieces: Uint8Array[] = [];
  const head = exportLedger(journal.path, 'batches', (piece) => pieces.push(piece));
  let last: Link | undefined;
  let count = 0;
  for (const batch of BatchFile.decode(Buffer.concat(pieces)).batches) {
    const { entries } = last === undefined ? verifyBatch(nodeCrypto, batch) : verifyBatch(nodeCrypto, batch, last);
    last = entries.at(-1);
    count += entries.length;
  }
  t.equal(count, verifyLedger(journal.path).entryCount);
  t.same(last?.hash, head?.hash);
});

t.test('lines of an export are JSON, one an entry, and show what this version cannot read as hex', async (t) => {
  const journal = await written(t);
  const lines: Record<string, unknown>[] = [];
  exportLedger(journal.path, 'lines', (piece) => lines.push(JSON.parse(Buffer.from(piece).toString()) as never));
  t.equal(lines.length, 12);
  t.match(lines[0], { epoch: 1, sequence: 1, kind: 'epoch', body: /^[0-9a-f]+$/, hash: /^[0-9a-f]{64}$/ });
  t.match(lines[2], { epoch: 1, sequence: 3, kind: 'event', ...granted, timeQuality: 'synced' });
});

t.test('a copy of a closed journal can be verified elsewhere', async (t) => {
  const journal = await written(t);
  const copy = await JournalOnDisk.create(t);
  await copyFile(journal.path, copy.path);
  t.match(verifyLedger(copy.path), { ok: true, witness: 'absent' });
});
