// Empties what is old in the data directory argv[2], beside grants that are recorded all the time, until it is killed. `argv[3]`:
// whether in the journal or in the replicas of `argv[4]`, an author in hex. The word of the cloud is in a file there, and was
// said eight days ago.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CloudWords, Emptier } from '@sparc/edge/emptying';
import { nodeCrypto, openJournal } from '@sparc/edge/ledger';
import { createNodeClock, loadIdentity, nodeRandom, verifySignature } from '@sparc/edge/platform';
import { REPLICA_FILE, SqliteReplicaStore } from '@sparc/edge/replica';
import { testSigner } from '../../support/test-signer.js';

const [, , dataDir = '', where = '', author = ''] = process.argv;
const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);
const word = readFileSync(join(dataDir, 'word'));
const cloudKey = testSigner(99).publicKey;
const wall = { unixMs: Date.now() + 8 * 86_400_000, quality: 'synced' } as const;

async function emptyJournal(): Promise<void> {
  const deps = { signer: loadIdentity(dataDir), clock: createNodeClock(), random: nodeRandom, crypto: nodeCrypto };
  const { writer, report, empty } = await openJournal(dataDir, deps, { siteId: 'harbour' }, {});
  say({ kind: 'started', epoch: report.epoch.counter });
  await empty({ words: [word], cloudKey }, wall);
  for (let number = 1; ; number++) {
    const detail = { number: String(number) };
    const { id } = await writer.append({ record: { name: 'door.opened', doorId: 'front', detail } as never });
    say({ kind: 'acknowledged', epoch: id.epoch, sequence: id.sequence, number: detail.number });
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function emptyReplicas(): void {
  const store = SqliteReplicaStore.open(join(dataDir, REPLICA_FILE));
  const words = new CloudWords({ wall: () => wall, verify: verifySignature, siteId: 'harbour', cloudKey });
  words.take(word);
  const emptier = new Emptier({
    words,
    log: {
      author,
      log: () => store.logs().get(author) ?? [],
      hashAt: (epoch, sequence) => store.hashAt(author, epoch, sequence),
      batchAfter: (after) => store.batchAfter(author, after),
    },
    isNeeded: () => false,
    empty: ({ head: { epoch } }) => {
      store.empty(author, epoch);
      say({ kind: 'emptied', epoch: epoch.counter });
    },
  });
  say({ kind: 'started' });
  while (emptier.step());
  say({ kind: 'done' });
  setInterval(() => undefined, 1_000);
}

if (where === 'journal') await emptyJournal();
else emptyReplicas();
