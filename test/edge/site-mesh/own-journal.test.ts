import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { JOURNAL_FILE } from '@sparc/edge/ledger';
import { findIdentity, loadIdentity } from '@sparc/edge/platform';
import { OwnJournal } from '@sparc/edge/site-mesh';
import { writeJournal } from '../../support/journal.js';

function setUp(t: Test) {
  const dataDir = join(t.testdir({}), 'data');
  mkdirSync(dataDir);
  const { publicKey } = loadIdentity(dataDir);
  const failures: unknown[] = [];
  const path = join(dataDir, JOURNAL_FILE);
  const own = new OwnJournal(path, publicKey, (error) => failures.push(error));
  t.teardown(() => own.close());
  return { dataDir, path, own, failures };
}

t.test('a journal is read as far as it goes, also while it grows and before there is one', async (t) => {
  const { dataDir, own, failures } = setUp(t);
  t.same(own.log(), []);
  await writeJournal(dataDir, 3);
  const [first] = own.log();
  t.equal(first?.head.sequence, 4, 'three events behind the one that opens the epoch');
  t.equal(own.author, Buffer.from(findIdentity(dataDir)?.publicKey ?? []).toString('hex'));
  await writeJournal(dataDir, 2);
  t.equal(own.log().length, 2, 'a second start is a second epoch');
  const epoch = own.log().at(-1)?.head.epoch ?? { counter: 0, random: new Uint8Array(8) };
  t.equal(own.batchAfter({ epoch, sequence: 1 })?.contents.length, 2);
  t.same(own.hashAt(epoch, 3), own.log().at(-1)?.head.hash);
  t.same(failures, []);
});

t.test('a journal that begins anew in another file is read from there', async (t) => {
  const { dataDir, path, own } = setUp(t);
  await writeJournal(dataDir, 3);
  const before = own.log();
  for (const suffix of ['', '-wal', '-shm'].filter((end) => existsSync(path + end))) {
    renameSync(path + suffix, join(dataDir, `aside.db${suffix}`));
  }
  t.same(own.log(), before, 'nothing is forgotten while there is none');
  await writeJournal(dataDir, 1);
  t.strictSame(
    own.log().map(({ head }) => head.sequence),
    [3],
    'the opening, the gap and the event',
  );
});

t.test('a journal that cannot be read is told once, and is as long as it was', async (t) => {
  const { dataDir, path, own, failures } = setUp(t);
  await writeJournal(dataDir, 3);
  const before = own.log();
  renameSync(path, join(dataDir, 'aside.db'));
  writeFileSync(path, 'no database');
  t.same(own.log(), before);
  t.equal(own.batchAfter({ epoch: { counter: 1, random: new Uint8Array(8) }, sequence: 0 }), undefined);
  t.equal(failures.length, 1);
});
