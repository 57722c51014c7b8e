import t from 'tap';
import { KEPT_MS } from '@sparc/edge/emptying';
import { exportLedger, JournalLog, nodeCrypto, readEntries, verifyLedger } from '@sparc/edge/ledger';
import { signAcknowledgement } from '@sparc/protocol/cloud-link';
import { BatchFile, verifyBatch } from '@sparc/protocol/ledger';
import { tipsOf } from '@sparc/protocol/replication';
import { testSigner } from '../../support/test-signer.js';
import { granted, JournalOnDisk, opened } from './journal-on-disk.js';

const cloud = testSigner(99);
const DAY_MS = 86_400_000;
const revoked = {
  name: 'revocation.applied',
  credentialId: 'anna',
  detail: { by: 'olga', number: '1' },
} as const;

/** What the cloud says of a journal that it has to its end. */
function wordOf(journal: JournalOnDisk, signer = cloud): Uint8Array {
  const log = new JournalLog(journal.path, journal.signer.publicKey);
  const word = signAcknowledgement(signer, {
    site: 'harbour',
    issuedUnixMs: journal.clock.wall().unixMs,
    complete: true,
    heads: [...tipsOf(log.log())],
  });
  log.close();
  return word;
}

const copyOf = (...words: readonly Uint8Array[]) => ({ words, cloudKey: cloud.publicKey });

const emptiedIn = ({ path, signer }: JournalOnDisk) => {
  const log = new JournalLog(path, signer.publicKey);
  try {
    return log.log().map(({ gap }) => gap !== undefined);
  } finally {
    log.close();
  }
};
const shown = ({ path }: JournalOnDisk) =>
  readEntries(path, { limit: 10_000 }).map(({ id, record }) => [id.epoch, record?.name]);

/** Five runs, of which the third revoked somebody and the fourth left a grant open; the last goes on for more than seven days. */
async function old(t: Parameters<typeof JournalOnDisk.create>[0]) {
  const journal = await JournalOnDisk.create(t);
  await journal.write(1, Array(600).fill(opened));
  await journal.write(2, [opened, granted, opened]);
  await journal.write(3, [revoked]);
  await journal.write(4, [opened]);
  const running = await journal.open(5);
  await running.writer.append({ record: opened });
  const word = wordOf(journal);
  await journal.clock.advance(KEPT_MS + 1_000);
  return { journal, running, word };
}

t.test(
  'what is old and in the cloud is emptied, but for revocations and grants of which it is not known what became',
  async (t) => {
    const { journal, running, word } = await old(t);
    await running.empty(copyOf(word, wordOf(journal)), journal.clock.wall());
    await journal.clock.advance(5_000);
    t.same(emptiedIn(journal), [true, false, false, true, false]);
    t.same(
      shown(journal).filter(([epoch]) => epoch === 1 || epoch === 4),
      [
        [1, undefined],
        [4, undefined],
      ],
    );
    t.match(verifyLedger(journal.path, { cloudKey: cloud.publicKey }), {
      ok: true,
      emptied: { epochCount: 2, isInCloud: true },
      epochCount: 5,
    });
    await running.writer.append({ record: opened });
    await running.close();
    await journal.write(6, [opened]);
    t.match(verifyLedger(journal.path, { author: journal.signer.publicKey, cloudKey: cloud.publicKey }), {
      ok: true,
      epochCount: 7,
    });
    t.equal(journal.reads('SELECT count(*) FROM entry WHERE epoch = 1'), 1);
    t.equal(journal.reads('SELECT count(*) FROM head WHERE epoch = 1'), 1);
  },
);

t.test('nothing is emptied while the time is not known, or on the word of anybody but the cloud', async (t) => {
  const { journal, running, word } = await old(t);
  await running.empty(copyOf(word), { ...journal.clock.wall(), quality: 'unsynced' });
  await journal.clock.advance(5_000);
  t.notOk(emptiedIn(journal).includes(true));
  const forged = copyOf(wordOf(journal, testSigner(98)));
  await t.rejects(running.empty(forged, journal.clock.wall()), { code: 'ERR_LINK_ACKNOWLEDGEMENT_INVALID' });
  await journal.clock.advance(5_000);
  t.notOk(emptiedIn(journal).includes(true));
  await running.close();
});

t.test('what the cloud has had for less than seven days is kept, and what it says not to have any more', async (t) => {
  const { journal, running, word } = await old(t);
  await running.empty(copyOf(wordOf(journal)), journal.clock.wall());
  await journal.clock.advance(5_000);
  t.notOk(emptiedIn(journal).includes(true), 'the entries are old, but not what the cloud said');
  const restored = signAcknowledgement(cloud, {
    site: 'harbour',
    issuedUnixMs: journal.clock.wall().unixMs,
    complete: true,
    heads: [],
  });
  await running.empty(copyOf(word, restored), journal.clock.wall());
  await journal.clock.advance(5_000);
  t.notOk(emptiedIn(journal).includes(true), 'it was restored from a backup');
  await running.empty(copyOf(word), journal.clock.wall());
  await journal.clock.advance(5_000);
  t.ok(emptiedIn(journal).includes(true));
  await running.close();
});

t.test(
  'a process that ends in the middle leaves a whole log, and what it began goes on with the next word',
  async (t) => {
    const { journal, running, word } = await old(t);
    await running.empty(copyOf(word), journal.clock.wall());
    // Long enough to mark the first one, and to drop some of it.
    for (let ms = 0; emptiedIn(journal)[0] !== true; ms++) {
      t.ok(ms < 5_000);
      await journal.clock.advance(1);
    }
    await journal.clock.advance(60);
    const left = journal.reads('SELECT count(*) FROM entry WHERE epoch = 1');
    t.ok(left > 1 && left < 601, String(left));
    t.match(verifyLedger(journal.path, { cloudKey: cloud.publicKey }), { ok: true, emptied: { epochCount: 2 } });
    t.equal(shown(journal).filter(([epoch]) => epoch === 1).length, 1);
    await running.close();
    const again = await journal.open(6);
    await again.empty(copyOf(word), journal.clock.wall());
    await journal.clock.advance(5_000);
    t.equal(journal.reads('SELECT count(*) FROM entry WHERE epoch = 1'), 1);
    t.same(emptiedIn(journal), [true, false, false, true, true, false]);
    await again.close();
  },
);

t.test('entries that were taken away are missing, whatever is said in their place', async (t) => {
  const { journal, running, word: said } = await old(t);
  await running.close();
  const whole = (change: Parameters<JournalOnDisk['alter']>[0]) => {
    journal.alter(change);
    return verifyLedger(journal.path, { cloudKey: cloud.publicKey });
  };
  const mark = (
    word: Uint8Array,
  ) => `INSERT INTO emptied SELECT h.epoch, 1, h.sequence, e.hash, h.signature, x'${Buffer.from(word).toString('hex')}'
    FROM head h JOIN entry e ON e.epoch = h.epoch AND e.sequence = h.sequence WHERE h.epoch = 1 ORDER BY h.sequence DESC LIMIT 1`;
  t.match(
    whole((database) => database.exec(mark(Buffer.from('nobody')))),
    { ok: false, problem: { code: 'ERR_LINK_ACKNOWLEDGEMENT_INVALID' } },
  );
  t.match(
    verifyLedger(journal.path),
    { ok: true, emptied: { epochCount: 1, isInCloud: false } },
    'without the key it is only said',
  );
  t.match(
    whole((database) => database.exec(`DELETE FROM emptied; ${mark(said)}`)),
    { ok: true },
  );
  t.match(
    whole((database) => database.exec('UPDATE emptied SET sequence = sequence - 1')),
    { ok: false, problem: { code: 'ERR_LEDGER_SIGNATURE_INVALID' } },
  );
  t.match(
    whole((database) => database.exec('DELETE FROM emptied; DELETE FROM entry WHERE epoch = 1 AND sequence > 1')),
    { ok: false },
  );
});

t.test('what is left can be exported, and neighbours can check it', async (t) => {
  const { journal, running, word } = await old(t);
  await running.empty(copyOf(word), journal.clock.wall());
  await journal.clock.advance(5_000);
  await running.close();
  const pieces: Uint8Array[] = [];
  exportLedger(journal.path, 'batches', (piece) => pieces.push(piece));
  const { batches } = BatchFile.decode(Buffer.concat(pieces));
  t.same(
    batches.map((batch) => verifyBatch(nodeCrypto, batch).head.epoch.counter),
    [1, 2, 3, 4, 5],
  );
});

t.test('the file of a journal that is emptied day by day stops growing', async (t) => {
  const journal = await JournalOnDisk.create(t);
  const running = await journal.open(1);
  const sizes: number[] = [];
  const words: Uint8Array[] = [];
  for (let day = 0; day < 16; day++) {
    for (let group = 0; group < 8; group++)
      await Promise.all(
        Array(200)
          .fill(opened)
          .map((record) => running.writer.append({ record })),
      );
    words.push(wordOf(journal));
    await journal.clock.advance(DAY_MS);
    const word = words.at(-7);
    if (word !== undefined) await running.empty(copyOf(word), journal.clock.wall());
    await journal.clock.advance(10_000);
    await running.writer.append({ record: opened });
    sizes.push(journal.reads('PRAGMA page_count'));
  }
  t.equal(emptiedIn(journal).filter((isEmptied) => isEmptied).length, 16 - 6);
  const [tenth = 0, last = 0] = [sizes[10], sizes.at(-1)];
  t.ok(last <= tenth * 1.05, sizes.join(' '));
  await running.close();
});
