// A process that empties the journal of the data directory argv[2], beside grants that are recorded all the time, until it is killed. The
// words of the cloud are in a file there, in hex, and the newest of them is of this moment.
import { readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { nodeCrypto, openJournal } from '@sparc/edge/ledger';
import { createNodeClock, loadIdentity, nodeRandom } from '@sparc/edge/platform';
import { testSigner } from '../../support/test-signer.js';

export const WORDS_FILE = 'words';
export const cloud = testSigner(99);

const [, program, dataDir = ''] = process.argv;
const say = (line: object) => writeSync(1, `${JSON.stringify(line)}\n`);

async function emptyForEver(): Promise<void> {
  const clock = createNodeClock();
  const deps = { signer: loadIdentity(dataDir), clock, random: nodeRandom, crypto: nodeCrypto };
  const { writer, empty } = await openJournal(dataDir, deps, { siteId: 'harbour' }, {});
  const words = readFileSync(join(dataDir, WORDS_FILE), 'utf8')
    .split(' ')
    .map((word) => Buffer.from(word, 'hex'));
  await empty({ words, cloudKey: cloud.publicKey }, { ...clock.wall(), quality: 'synced', errorMs: 0 });
  for (let count = 1; ; count++) {
    const number = String(count);
    const { id } = await writer.append({
      record: { name: 'access.granted', accessPointId: 'front', detail: { number } },
    });
    say({ kind: 'acknowledged', epoch: id.epoch, sequence: id.sequence, number });
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

if (program === import.meta.filename) await emptyForEver();
