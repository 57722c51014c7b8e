import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import t from 'tap';
import { KEPT_MS } from '@sparc/protocol/ledger';
import {
  JOURNAL_FILE,
  JournalClient,
  JournalLog,
  nodeCrypto,
  openJournal,
  readEntries,
  verifyLedger,
} from '@sparc/edge/ledger';
import { createNodeClock, Database, loadIdentity, nodeRandom } from '@sparc/edge/platform';
import { signAcknowledgement } from '@sparc/protocol/cloud-link';
import type { EventRecord } from '@sparc/protocol/events';
import type { Clock } from '@sparc/protocol/ports';
import { tipsOf } from '@sparc/protocol/replication';
import { SeededRandom } from '@sparc/simulator/world';
import { eventually } from '../../support/peers.js';
import { testSigner } from '../../support/test-signer.js';
import { cloud, WORDS_FILE } from './emptying-program.js';
import type { Heard } from './journal-program.js';
import { acknowledged, lostEntries, temporaryFolder } from './run-program.js';

const opened: EventRecord = { name: 'door.opened', doorId: 'front' };
const EPOCHS = 4;
const COMMITS = 60;
const COMMIT = 20;
const PASSING = EPOCHS * COMMITS * (COMMIT - 1);

/** Runs of a gateway in which each commit has one entry that lasts. */
async function writeHistory(folder: string): Promise<void> {
  const deps = { signer: loadIdentity(folder), clock: createNodeClock(), random: nodeRandom, crypto: nodeCrypto };
  for (let epoch = 0; epoch < EPOCHS; epoch++) {
    const { writer, close } = await openJournal(folder, deps, { siteId: 'harbour' }, {});
    for (let commit = 0; commit < COMMITS; commit++) {
      const lasts: EventRecord = { name: 'site.lockdown', detail: { commit: `${epoch} ${commit}` } };
      await Promise.all(
        [lasts, ...Array<EventRecord>(COMMIT - 1).fill(opened)].map((record) => writer.append({ record })),
      );
    }
    await close();
  }
}

/** The cloud has it all, for seven days and now. */
function sayWords(folder: string): readonly Uint8Array[] {
  const log = new JournalLog(join(folder, JOURNAL_FILE), loadIdentity(folder).publicKey);
  const heads = [...tipsOf(log.log())];
  log.close();
  const words = [KEPT_MS + 60_000, 0].map((ageMs) =>
    signAcknowledgement(cloud, { site: 'harbour', issuedUnixMs: Date.now() - ageMs, complete: true, heads }),
  );
  writeFileSync(join(folder, WORDS_FILE), words.map((word) => Buffer.from(word).toString('hex')).join(' '));
  return words;
}

/** Runs the program, kills it so long after its first line, and hands out what it said. */
function killed(folder: string, afterMs: number): Promise<readonly Heard[]> {
  const program = join(import.meta.dirname, 'emptying-program.js');
  const child = spawn(process.execPath, [program, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  const heard: Heard[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    heard.push(JSON.parse(line) as Heard);
    if (heard.length === 1) setTimeout(() => child.kill('SIGKILL'), afterMs);
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', () => resolve(heard));
  });
}

function isDamaged(path: string): boolean {
  const database = new Database(path, { readonly: true });
  try {
    return database.pragma('integrity_check', { simple: true }) !== 'ok';
  } finally {
    database.close();
  }
}

t.test(
  'a journal that is killed again and again while it is emptied loses nothing that lasts or was acknowledged',
  async (t) => {
    const folder = await temporaryFolder(t);
    const path = join(folder, JOURNAL_FILE);
    await writeHistory(folder);
    sayWords(folder);
    const author = loadIdentity(folder).publicKey;
    const before = readEntries(path, { limit: 100_000 });
    const lasting = before.filter(({ record }) => record?.name !== 'door.opened').length;
    const passing = before.length - lasting;
    t.equal(passing, PASSING);

    const random = new SeededRandom(7);
    const heard: Heard[] = [];
    const counts: number[] = [0];
    for (let kills = 0; (counts.at(-1) ?? 0) < passing && kills < 60; kills++) {
      heard.push(...(await killed(folder, random.integer(20, 900))));
      const { problem, emptiedCount } = verifyLedger(path, { author });
      t.equal(problem, undefined, `whole after ${kills + 1} kills, ${emptiedCount} emptied`);
      t.notOk(isDamaged(path));
      counts.push(emptiedCount);
    }
    t.same(
      counts,
      [...counts].sort((a, b) => a - b),
      'what is emptied stays so',
    );
    t.ok(
      counts.filter((count) => count > 0 && count < passing).length > 2,
      `some died in the middle: ${counts.join(' ')}`,
    );
    t.equal(counts.at(-1), passing, 'it comes to its end');

    const after = readEntries(path, { limit: 100_000 });
    t.same(
      after
        .slice(0, before.length)
        .map(({ digest, ...entry }) => (digest === undefined ? entry : { ...entry, record: opened })),
      before,
      'each is what it was, or has a digest in its place',
    );
    t.equal(
      after.slice(before.length).filter(({ digest }) => digest !== undefined).length,
      0,
      'nothing that the cloud has not',
    );
    t.same(lostEntries(path, heard), [], `of ${acknowledged(heard).length} entries of which word was given`);
  },
);

t.test('the thread of the journal takes words of the cloud, and says what is none', async (t) => {
  const folder = await temporaryFolder(t);
  const path = join(folder, JOURNAL_FILE);
  await writeHistory(folder);
  const words = sayWords(folder);
  const system = createNodeClock();
  const clock: Clock = {
    monotonicMs: () => system.monotonicMs(),
    setTimer: (delayMs, callback) => system.setTimer(delayMs, callback),
    wall: () => ({ ...system.wall(), quality: 'synced' }),
  };
  const refused: string[] = [];
  const journal = new JournalClient(
    clock,
    { dataDir: folder, siteId: 'harbour' },
    { onCopyRefused: ({ code }) => refused.push(code) },
  );
  await journal.start();
  journal.empty({ words, cloudKey: testSigner(98).publicKey });
  await eventually('it is refused', () => refused.length > 0);
  t.same(refused, ['ERR_LINK_ACKNOWLEDGEMENT_INVALID']);
  t.equal(verifyLedger(path).emptiedCount, 0);
  journal.empty({ words, cloudKey: cloud.publicKey });
  await eventually('all of it is emptied', () => verifyLedger(path).emptiedCount === PASSING);
  await journal.append({ record: opened });
  await journal.stop();
  t.match(verifyLedger(path), { ok: true, emptiedCount: PASSING });
});
