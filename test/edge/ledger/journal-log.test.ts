import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { BATCH_BYTES, JOURNAL_FILE, JournalLog, nodeCrypto, openJournal } from '@sparc/edge/ledger';
import { createNodeClock, nodeRandom } from '@sparc/edge/platform';
import { encodeBatch, verifyBatch, type Batch } from '@sparc/protocol/ledger';
import { endsOf, missingAfter, tipsOf, type EpochEnd } from '@sparc/protocol/replication';
import { testSigner } from '../../support/test-signer.js';

const signer = testSigner();
const deps = { signer, clock: createNodeClock(), random: nodeRandom, crypto: nodeCrypto };
const opened = { name: 'door.opened', doorId: 'front' } as const;
/** Of one message of the mesh. */
const MESSAGE_BYTES_MAX = 1_114_112;

async function temporaryFolder(t: Test): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sparc-journal-log-'));
  t.teardown(() => rm(folder, { recursive: true }));
  return folder;
}

const open = (folder: string) => openJournal(folder, deps, { siteId: 'harbour' }, {});

/** All that a neighbour gets who has it up to these ends. */
function served(log: JournalLog, ends: readonly EpochEnd[]): Batch[] {
  return missingAfter(log.log(), ends).flatMap((start) => {
    const batches: Batch[] = [];
    for (let after = start; ;) {
      const batch = log.batchAfter(after);
      if (batch === undefined) return batches;
      batches.push(batch);
      after = { epoch: after.epoch, sequence: verifyBatch(nodeCrypto, batch).head.sequence };
    }
  });
}

t.test('a journal is served while it is written, and over its restarts', async (t) => {
  const folder = await temporaryFolder(t);
  const first = await open(folder);
  const log = new JournalLog(join(folder, JOURNAL_FILE), signer.publicKey);
  t.teardown(() => log.close());
  t.equal(log.author, Buffer.from(signer.publicKey).toString('hex'));
  t.match(tipsOf(log.log()), [{ site: 'harbour', sequence: 1 }]);
  await first.writer.append({ record: opened });
  const known = endsOf(log.log());
  t.same(served(log, known), []);
  await first.writer.append({ record: opened });
  const [news] = served(log, known);
  t.match(news, { firstSequence: 3, contents: { length: 1 } });
  const [tip] = tipsOf(log.log());
  t.same(Buffer.from(log.hashAt(tip?.epoch as never, 3) ?? []), Buffer.from(tip?.hash ?? []));
  await first.close();

  const second = await open(folder);
  const [past, present] = log.log();
  t.match(present?.previous, { sequence: 3, epoch: { counter: 1 } }, 'an epoch names the entry before it');
  t.same(past?.head, tip);
  t.equal(tipsOf(log.log()).length, 1);
  t.equal(served(log, known).length, 2);
  await second.close();
});

t.test('what is recorded at once goes over the mesh, however much it is', async (t) => {
  const folder = await temporaryFolder(t);
  const { writer, close } = await open(folder);
  const detail = Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`note${index}`, 'x'.repeat(1_000)]));
  await Promise.all(Array.from({ length: 300 }, () => writer.append({ record: { ...opened, detail } })));
  await close();
  const log = new JournalLog(join(folder, JOURNAL_FILE), signer.publicKey);
  t.teardown(() => log.close());
  const batches = served(log, []);
  t.equal(
    batches.reduce((sum, { contents }) => sum + contents.length, 0),
    301,
  );
  const sizes = batches.map((batch) => encodeBatch(batch).length);
  t.ok(sizes.length > (300 * 12_000) / (2 * BATCH_BYTES) && Math.max(...sizes) < MESSAGE_BYTES_MAX / 2, String(sizes));
});
