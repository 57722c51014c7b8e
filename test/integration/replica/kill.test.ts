import { spawn } from 'node:child_process';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import t, { type Test } from 'tap';
import { nodeCrypto } from '@sparc/edge/ledger';
import { SqliteReplicaStore } from '@sparc/edge/replica';
import { verifyBatch } from '@sparc/protocol/ledger';
import { SeededRandom } from '@sparc/simulator/world';
import { FC_SEED } from '../../support/property.js';
import { testSigner } from '../../support/test-signer.js';

const author = Buffer.from(testSigner().publicKey).toString('hex');

/** Runs the program until it gave its word so often, kills it, and tells up to where it did. */
function runAndKill(path: string, words: number): Promise<number> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'replica-program.js'), path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let promised = 0;
  let heard = 0;
  createInterface({ input: child.stdout }).on('line', (line) => {
    promised = Number(line);
    heard += 1;
    if (heard === words) child.kill('SIGKILL');
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (_code, signal) =>
      signal === 'SIGKILL' ? resolve(promised) : reject(new Error(String(signal))),
    );
  });
}

/** Up to where the log is whole: every entry is there, in order, and covered by a head of its author. */
function wholeUpTo(path: string): number {
  const store = SqliteReplicaStore.open(path);
  try {
    const [held] = store.logs().get(author) ?? [];
    if (held === undefined) return 0;
    let sequence = 0;
    for (;;) {
      const batch = store.batchAfter(author, { epoch: held.head.epoch, sequence });
      if (batch === undefined) break;
      sequence = verifyBatch(nodeCrypto, batch).head.sequence;
    }
    if (sequence !== held.head.sequence) throw new Error(`held up to ${held.head.sequence}, whole up to ${sequence}`);
    return sequence;
  } finally {
    store.close();
  }
}

async function temporaryFolder(t: Test): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sparc-replica-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

t.test('a replica that is killed has every entry of which word was given', async (t) => {
  for (const words of [1, 7, 300]) {
    const folder = await temporaryFolder(t);
    const path = join(folder, 'replica.db');
    const promised = await runAndKill(path, words);
    const kept = wholeUpTo(path);
    t.ok(promised >= words && kept >= promised, `${promised} promised, ${kept} kept`);
  }
});

t.test('with the write-ahead log cut or damaged at any byte, a replica is whole up to a head', async (t) => {
  const folder = await temporaryFolder(t);
  const path = join(folder, 'replica.db');
  const promised = await runAndKill(path, 200);
  const wal = readFileSync(`${path}-wal`);
  const random = new SeededRandom(FC_SEED);
  const kept: number[] = [];
  for (let round = 0; round < 40; round++) {
    const copy = join(folder, `${round}.db`);
    copyFileSync(path, copy);
    const at = random.integer(0, wal.length - 1);
    const damaged = Buffer.from(round % 3 === 2 ? wal : wal.subarray(0, at));
    if (round % 3 === 2) damaged[at] = (damaged[at] ?? 0) ^ (1 << random.integer(0, 7));
    writeFileSync(`${copy}-wal`, damaged);
    kept.push(wholeUpTo(copy));
  }
  t.ok(
    new Set(kept).size > 15 && Math.max(...kept) <= promised + 3,
    `cuts left from ${Math.min(...kept)} to ${Math.max(...kept)}`,
  );
});
