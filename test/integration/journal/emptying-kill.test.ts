import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import t from 'tap';
import { JournalLog, nodeCrypto, openJournal, readEntries, verifyLedger } from '@sparc/edge/ledger';
import { createNodeClock, Database, loadIdentity, nodeRandom } from '@sparc/edge/platform';
import { REPLICA_FILE, SqliteReplicaStore } from '@sparc/edge/replica';
import { signAcknowledgement } from '@sparc/protocol/cloud-link';
import type { EventRecord } from '@sparc/protocol/events';
import { verifyBatch, type SignedHead } from '@sparc/protocol/ledger';
import { endHere, tipsOf } from '@sparc/protocol/replication';
import { appendOf } from '@sparc/simulator/mesh';
import { SeededRandom } from '@sparc/simulator/world';
import { TestChain } from '../../support/test-chain.js';
import { testSigner } from '../../support/test-signer.js';
import { temporaryFolder } from './run-program.js';

const cloud = testSigner(99);
const opened: EventRecord = { name: 'door.opened', doorId: 'front' };
const revoked: EventRecord = {
  name: 'revocation.applied',
  credentialId: 'anna',
  detail: { by: 'olga', number: '1' },
};

type Line = Readonly<Record<string, unknown>>;

/** Runs the program, kills it so long after it said that it began, and hands out what it said. */
function killed(dataDir: string, args: readonly string[], afterMs: number): Promise<Line[]> {
  const program = join(import.meta.dirname, 'emptying-program.js');
  const child = spawn(process.execPath, [program, dataDir, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines: Line[] = [];
  createInterface({ input: child.stdout }).on('line', (text) => {
    lines.push(JSON.parse(text) as Line);
    if (lines.length === 1) setTimeout(() => child.kill('SIGKILL'), afterMs);
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', () => resolve(lines));
  });
}

function sayWord(dataDir: string, heads: readonly SignedHead[]): void {
  const issued = { site: 'harbour', issuedUnixMs: Date.now(), complete: true };
  writeFileSync(join(dataDir, 'word'), signAcknowledgement(cloud, { ...issued, heads: [...heads] }));
}

/** The newest comes at the last, so that it is over when the program starts. */
const RUNS: readonly (readonly EventRecord[])[] = [
  Array(4_000).fill(opened),
  [...Array(300).fill(opened), revoked],
  Array(4_000).fill(opened),
  [opened],
];

t.test('a journal that is killed again and again while it is emptied loses nothing that was to stay', async (t) => {
  const folder = await temporaryFolder(t);
  const path = join(folder, 'journal.db');
  const signer = loadIdentity(folder);
  const deps = { signer, clock: createNodeClock(), random: nodeRandom, crypto: nodeCrypto };
  for (const records of RUNS) {
    const { writer, close } = await openJournal(folder, deps, { siteId: 'harbour' }, {});
    for (let at = 0; at < records.length; at += 100)
      await Promise.all(records.slice(at, at + 100).map((record) => writer.append({ record })));
    await close();
  }
  const before = new JournalLog(path, signer.publicKey);
  sayWord(folder, tipsOf(before.log()));
  before.close();

  const random = new SeededRandom(7);
  const acknowledged: Line[] = [];
  const leftCounts = new Set<number>();
  const countOf = (epoch: number): number => {
    const database = new Database(path, { readonly: true });
    const count = database.prepare<[number], number>('SELECT count(*) FROM entry WHERE epoch = ?').pluck().get(epoch);
    database.close();
    return count ?? 0;
  };
  let rounds = 0;
  for (; rounds < 60 && (countOf(1) > 1 || countOf(3) > 1); rounds++) {
    acknowledged.push(
      ...(await killed(folder, ['journal'], random.integer(200, 900 + 20 * rounds))).filter(
        ({ kind }) => kind === 'acknowledged',
      ),
    );
    leftCounts.add(countOf(1)).add(countOf(3));
    const report = verifyLedger(path, { author: signer.publicKey, cloudKey: cloud.publicKey });
    t.equal(report.problem, undefined, `after ${rounds + 1} kills`);
    t.equal(countOf(2), 302, 'what revokes somebody');
  }
  t.ok(countOf(1) === 1 && countOf(3) === 1, `it comes to its end, after ${rounds} kills`);
  t.ok(
    [...leftCounts].some((count) => count > 1 && count < 4_001),
    `some died in the middle: ${[...leftCounts].join(' ')}`,
  );
  t.ok(rounds > 2, String(rounds));
  const kept = new Set(readEntries(path, { limit: 100_000 }).map(({ id }) => `${id.epoch}/${id.sequence}`));
  t.same(
    acknowledged.filter(({ epoch, sequence }) => !kept.has(`${epoch as number}/${sequence as number}`)),
    [],
    `${acknowledged.length} entries of which word was given`,
  );
});

t.test('replicas that are killed again and again while they are emptied are whole epochs and gaps', async (t) => {
  const folder = await temporaryFolder(t);
  const path = join(folder, REPLICA_FILE);
  const chain = new TestChain();
  const author = Buffer.from(chain.signer.publicKey).toString('hex');
  const EPOCHS = 60;
  const counts = new Map<number, number>();
  const store = SqliteReplicaStore.open(path);
  for (let counter = 1; counter <= EPOCHS; counter++) {
    const records = Array(200).fill(opened);
    const commits = [
      chain.open(counter),
      ...Array.from({ length: 4 }, () => chain.add(...records)),
      chain.add(counter % 10 === 0 ? { name: 'site.released' } : opened),
    ];
    store.append(commits.map(appendOf), []);
    counts.set(counter, chain.head?.sequence ?? 0);
  }
  store.close();
  sayWord(folder, chain.head === undefined ? [] : [chain.head]);
  const random = new SeededRandom(7);
  const gaps = new Set<number>();
  let said: Line[] = [];
  for (let rounds = 0; rounds < 200 && !said.some(({ kind }) => kind === 'done'); rounds++) {
    said = await killed(folder, ['replicas', author], random.integer(1, 60 + 5 * rounds));
    const read = SqliteReplicaStore.openReadOnly(path);
    const log = read.logs().get(author) ?? [];
    t.equal(log.length, EPOCHS);
    for (const held of log) {
      const { counter } = held.head.epoch;
      const isLasting = counter % 10 === 0 || counter === EPOCHS;
      if (isLasting && held.gap !== undefined) t.fail(`epoch ${counter} is emptied`);
      if (held.head.sequence !== counts.get(counter)) t.fail(`epoch ${counter} ends at ${held.head.sequence}`);
      let sequence = 0;
      for (let batch = read.batchAfter(author, { epoch: held.head.epoch, sequence }); batch !== undefined;) {
        sequence = verifyBatch(nodeCrypto, batch, undefined).head.sequence;
        batch = read.batchAfter(author, { epoch: held.head.epoch, sequence });
      }
      if (sequence !== endHere(held)) t.fail(`of epoch ${counter} is ${sequence} of ${endHere(held)}`);
      if (held.gap !== undefined) gaps.add(counter);
    }
    for (const { kind, epoch } of said) if (kind === 'emptied' && !gaps.has(epoch as number)) t.fail('it was said');
    read.close();
  }
  t.ok(said.some(({ kind }) => kind === 'done'));
  t.equal(gaps.size, EPOCHS - EPOCHS / 10);
});
