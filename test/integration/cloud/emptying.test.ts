import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { LinkFiles } from '@sparc/edge/cloud-enrolment';
import { CLOUD_WORDS_FILE } from '@sparc/edge/emptying';
import { JOURNAL_FILE, JournalLog, nodeCrypto, openJournal, verifyLedger } from '@sparc/edge/ledger';
import { createNodeClock, findIdentity, nodeRandom } from '@sparc/edge/platform';
import { REPLICA_FILE, SqliteReplicaStore } from '@sparc/edge/replica';
import { signAcknowledgement } from '@sparc/protocol/cloud-link';
import { EntryContent } from '@sparc/protocol/ledger';
import { tipsOf } from '@sparc/protocol/replication';
import { Cloud } from '../../support/cloud.js';
import { migrated, openPglite } from '../../support/databases.js';
import { enrol, MeshGateway } from '../../support/mesh-gateway.js';
import { eventually } from '../../support/peers.js';

const PASSAGES = 300;
const EIGHT_DAYS_MS = 8 * 86_400_000;

const identity = ({ dataDir }: MeshGateway) => {
  const found = findIdentity(dataDir);
  if (found === undefined) throw new Error('an identity');
  return found;
};

/** What fills ledgers: a gateway without doors records nothing that passes. */
async function recordPassages(gateway: MeshGateway): Promise<void> {
  const deps = { signer: identity(gateway), clock: createNodeClock(), random: nodeRandom, crypto: nodeCrypto };
  const { writer, close } = await openJournal(gateway.dataDir, deps, { siteId: 'harbour' }, {});
  const opened = { name: 'door.opened', doorId: 'front' } as const;
  await Promise.all(Array.from({ length: PASSAGES }, () => writer.append({ record: opened })));
  await close();
}

/** Of the own journal, and of the replica of another. */
function emptiedCounts(gateway: MeshGateway, other: MeshGateway): readonly number[] {
  const report = verifyLedger(join(gateway.dataDir, JOURNAL_FILE), { author: identity(gateway).publicKey });
  if (!report.ok) throw new Error(report.problem?.message);
  const store = SqliteReplicaStore.openReadOnly(join(gateway.dataDir, REPLICA_FILE));
  try {
    return [report.emptiedCount, emptiedIn(store, hex(identity(other).publicKey))];
  } finally {
    store.close();
  }
}

function emptiedIn(store: SqliteReplicaStore, author: string): number {
  let count = 0;
  for (const { head } of store.logs().get(author) ?? []) {
    for (let sequence = 0; sequence < head.sequence;) {
      const batch = store.batchAfter(author, { epoch: head.epoch, sequence });
      if (batch === undefined) throw new Error(`nothing behind ${sequence}`);
      count += batch.contents.filter((content) => EntryContent.decode(content).digest !== undefined).length;
      sequence = batch.firstSequence + batch.contents.length - 1;
    }
  }
  return count;
}

function headsOf(gateway: MeshGateway) {
  const log = new JournalLog(join(gateway.dataDir, JOURNAL_FILE), identity(gateway).publicKey);
  try {
    return tipsOf(log.log());
  } finally {
    log.close();
  }
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const wordsPath = ({ dataDir }: MeshGateway) => join(dataDir, CLOUD_WORDS_FILE);
const wordsOf = (gateway: MeshGateway): readonly string[] =>
  existsSync(wordsPath(gateway))
    ? (JSON.parse(readFileSync(wordsPath(gateway), 'utf8')) as { words: string[] }).words
    : [];

t.test(
  'what the cloud has had for seven days is emptied, also by whom cannot reach it and has its words from a neighbour',
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'sparc-words-'));
    const [north, south] = [await MeshGateway.create(folder, 'north'), await MeshGateway.create(folder, 'south')];
    const both = [north, south];
    const end = () => Promise.all(both.map((each) => each.end('SIGTERM')));
    t.teardown(async () => {
      await end();
      rmSync(folder, { recursive: true, force: true });
    });
    await enrol(folder, 'harbour', both);
    const cloud = await Cloud.start(t, await migrated(await openPglite(t)), both.map(identity));
    for (const each of both) {
      const files = new LinkFiles(each.dataDir);
      files.keep(await cloud.grant(identity(each), files.request()));
      await recordPassages(each);
      each.start();
    }
    const isInCloud = async (each: MeshGateway) => (await each.mesh())?.cloud?.ownMissingCount === 0;
    for (const each of both) await eventually('it is in the cloud', () => isInCloud(each), 60_000);
    await eventually('and at the other', async () => (await north.mesh())?.own?.replicasCount === 1, 60_000);
    t.same(wordsOf(north), [], 'while nobody knows the time no word counts');
    await north.sparc('clock', 'accept', '--by', 'Ada');
    await eventually('a word of the cloud is on the disk', () => wordsOf(north).length === 1, 90_000);
    await end();
    await cloud.stop();
    t.same(emptiedCounts(north, south), [0, 0]);

    // As far as anybody can tell by its date.
    const issuedUnixMs = Date.now() - EIGHT_DAYS_MS;
    const heads = both.flatMap(headsOf);
    const old = signAcknowledgement(cloud.siteSigner, { site: 'harbour', issuedUnixMs, complete: true, heads });
    const words = [Buffer.from(old).toString('base64'), ...wordsOf(north)];
    writeFileSync(wordsPath(north), JSON.stringify({ words }), { mode: 0o600 });
    rmSync(wordsPath(south), { force: true });
    for (const each of both) each.start();
    await eventually('the other has them, too', () => wordsOf(south).length === words.length, 90_000);
    t.same(wordsOf(south), words);
    for (const [each, other] of [
      [north, south],
      [south, north],
    ] as const) {
      await eventually('all is emptied', () => emptiedCounts(each, other).every((count) => count >= PASSAGES), 60_000);
      t.equal((await each.mesh())?.cloud?.isConnected, false);
    }
    await end();
    t.strictSame(cloud.failures, []);
  },
);
