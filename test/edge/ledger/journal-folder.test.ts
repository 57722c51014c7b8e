import { existsSync, readdirSync } from 'node:fs';
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { readEntries, verifyLedger } from '@sparc/edge/ledger';
import { testSigner } from '../../support/test-signer.js';
import { granted, JournalOnDisk, opened } from './journal-on-disk.js';

const gapsOf = (path: string) =>
  readEntries(path, { limit: 1_000 }).flatMap(({ record }) => (record?.name === 'journal.gap' ? [record] : []));

t.test('a damaged file is kept as evidence, and a new journal begins that says so', async (t) => {
  const journal = await JournalOnDisk.create(t);
  await journal.write(1, [opened], [granted]);
  for (const [index, damage] of [
    (bytes: Buffer) => bytes.fill(0xff, 0, 100),
    (bytes: Buffer) => bytes.fill(0xff, 4_096),
    (bytes: Buffer) => bytes.writeUInt32BE(99, 60), // user_version: a schema of the future
  ].entries()) {
    const bytes = await readFile(journal.path);
    damage(bytes);
    await writeFile(journal.path, bytes);
    const movedTo = `journal.corrupt-${index + 1}.db`;
    const { writer, report, close } = await journal.open(index + 2);
    t.match(report, { loss: { code: 'ERR_LEDGER_CORRUPT', movedTo }, writable: true, openGrants: [] });
    t.equal(report.epoch.counter, index + 2, 'the witness file knows the epoch before');
    await writer.append({ record: opened });
    await close();
    t.same(await readFile(join(journal.folder, movedTo)), bytes, 'nothing is deleted');
    t.match(gapsOf(journal.path), [{ code: 'ERR_LEDGER_CORRUPT', detail: { lost: 'unknown' } }]);
    t.match(verifyLedger(journal.path), { ok: true, begunAnew: true, entryCount: 3 });
  }
});

t.test('damage that shows only in the last entries moves the file aside too', async (t) => {
  const journal = await JournalOnDisk.create(t);
  await journal.write(1, [opened, granted]);
  journal.alter((database) => database.exec('UPDATE entry SET hash = zeroblob(32) WHERE sequence = 2'));
  const { report, close } = await journal.open(2);
  t.equal(report.loss?.movedTo, 'journal.corrupt-1.db');
  await close();
});

t.test("a journal of another gateway's key is moved aside", async (t) => {
  const journal = await JournalOnDisk.create(t);
  await journal.write(1, [opened]);
  const { report, close } = await journal.open(2, testSigner(2));
  t.match(report, { epoch: { counter: 1 }, loss: { code: 'ERR_LEDGER_AUTHOR_MISMATCH' } });
  await close();
});

t.test('a crash between moving aside and beginning anew does not pass for a first start', async (t) => {
  const journal = await JournalOnDisk.create(t);
  await writeFile(join(journal.folder, 'journal.corrupt-4.db'), 'evidence');
  const { report, close } = await journal.open(1);
  t.match(report, { loss: { code: 'ERR_LEDGER_CORRUPT', movedTo: 'journal.corrupt-4.db' } });
  await close();
  t.match(verifyLedger(journal.path), { ok: true, begunAnew: true });
});

t.test('a journal restored from an older copy says what it lost', async (t) => {
  const journal = await JournalOnDisk.create(t);
  await journal.write(1, [opened]);
  await copyFile(journal.path, `${journal.path}.old`);
  await journal.write(2, [opened]);
  await copyFile(`${journal.path}.old`, journal.path);
  const { report, close } = await journal.open(3);
  t.match(report, { epoch: { counter: 3 }, loss: { code: 'ERR_LEDGER_TAIL_MISSING' } });
  await close();
  t.match(gapsOf(journal.path), [{ code: 'ERR_LEDGER_TAIL_MISSING' }]);
});

t.test('a journal deleted beside its witness says that it is gone', async (t) => {
  const journal = await JournalOnDisk.create(t);
  await journal.write(1, [opened]);
  await rm(journal.path);
  const { report, close } = await journal.open(2);
  t.match(report, { epoch: { counter: 2 }, loss: { code: 'ERR_LEDGER_TAIL_MISSING' } });
  await close();
});

t.test('a write-ahead log is never left to be replayed into the next journal', async (t) => {
  const journal = await JournalOnDisk.create(t);
  await writeFile(journal.path, 'garbage'.repeat(1_000));
  await writeFile(`${journal.path}-wal`, 'more garbage');
  const { report, close } = await journal.open(1);
  t.equal(report.loss?.code, 'ERR_LEDGER_CORRUPT');
  t.equal(await readFile(join(journal.folder, 'journal.corrupt-1.db-wal'), 'utf8'), 'more garbage');
  await close();
  t.match(verifyLedger(journal.path), { ok: true, entryCount: 2 });
});

t.test('a folder where no file can be made is an error of the disk, not of the journal', async (t) => {
  const journal = await JournalOnDisk.create(t);
  await mkdir(journal.path);
  await t.rejects(journal.open(), { code: 'ERR_LEDGER_WRITE_FAILED' });
  t.ok(existsSync(journal.path));
  t.same(readdirSync(journal.folder), ['journal.db']);
});
