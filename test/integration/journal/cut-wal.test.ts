import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { nodeCrypto, openJournal, readEntries, verifyLedger } from '@sparc/edge/ledger';
import { createNodeClock, nodeRandom } from '@sparc/edge/platform';
import { SeededRandom } from '@sparc/simulator/world';
import { FC_SEED } from '../../support/property.js';
import { testSigner } from '../../support/test-signer.js';
import { temporaryFolder } from './run-program.js';

const deps = { signer: testSigner(), clock: createNodeClock(), random: nodeRandom, crypto: nodeCrypto };

t.test('with the write-ahead log cut or damaged at any byte, the journal is whole up to a commit', async (t) => {
  const folder = await temporaryFolder(t);
  const source = join(folder, 'source');
  await mkdir(source);
  const { writer, close } = await openJournal(source, deps, { siteId: 'harbour' }, {});
  for (let number = 0; number < 300; number++) {
    await writer.append({ record: { name: 'door.opened', detail: { number: String(number) } } });
  }
  // As a power failure finds it: nothing closed, a checkpoint made on the way.
  const wal = readFileSync(join(source, 'journal.db-wal'));
  copyFileSync(join(source, 'journal.db'), join(folder, 'journal.db'));
  await close();
  const all = readEntries(join(source, 'journal.db'), { limit: 1_000 }).map(({ id }) => id.sequence);

  const random = new SeededRandom(FC_SEED);
  const lengths: number[] = [];
  for (let round = 0; round < 60; round++) {
    const copy = join(folder, String(round));
    await mkdir(copy);
    const path = join(copy, 'journal.db');
    copyFileSync(join(folder, 'journal.db'), path);
    const at = random.integer(0, wal.length - 1);
    const damaged = Buffer.from(round % 3 === 2 ? wal : wal.subarray(0, at));
    if (round % 3 === 2) damaged[at] = (damaged[at] ?? 0) ^ (1 << random.integer(0, 7));
    writeFileSync(`${path}-wal`, damaged);

    const journal = await openJournal(copy, deps, { siteId: 'harbour' }, {});
    await journal.writer.append({ record: { name: 'door.closed' } });
    await journal.close();
    const report = verifyLedger(path);
    const first = readEntries(path, { limit: 1_000 }).filter(({ id }) => id.epoch === 1);
    const isPrefix = first.every(({ id }, index) => id.sequence === all[index]);
    if (!report.ok || !isPrefix || journal.report.loss !== undefined) {
      t.fail(`cut at ${at} in round ${round}: ${report.problem?.message ?? journal.report.loss?.message}`);
    }
    lengths.push(first.length);
  }
  t.ok(new Set(lengths).size > 20, `cuts left from ${Math.min(...lengths)} to ${Math.max(...lengths)} entries`);
});
