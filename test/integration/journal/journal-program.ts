// A process with a journal and nothing else, as the tests of durability run and kill it.
//   node journal-program.js DATA_DIR thread|direct PARALLEL
// It appends for as long as it lives and prints, one JSON a line, what it hears.
import { writeSync } from 'node:fs';
import { JournalClient, nodeCrypto, openJournal } from '@sparc/edge/ledger';
import { createNodeClock, loadIdentity, nodeRandom } from '@sparc/edge/platform';
import { isSparcError } from '@sparc/protocol/errors';
import type { Journal } from '@sparc/protocol/ports';

/** A line of the program. */
export type Heard =
  | {
      readonly kind: 'acknowledged';
      readonly epoch: number;
      readonly sequence: number;
      readonly number: string;
      readonly appendedNs: string;
      readonly heardNs: string;
    }
  | { readonly kind: 'refused'; readonly code: string; readonly number: string }
  | { readonly kind: 'started'; readonly epoch: number; readonly loss?: string }
  | { readonly kind: 'down'; readonly code: string }
  | { readonly kind: 'writable'; readonly writable: boolean }
  | { readonly kind: 'stopped' };

const [dataDir = '', how, parallel] = process.argv.slice(2);
// Written at once, so that nothing is heard that was not said before a kill.
const say = (line: Heard) => writeSync(1, `${JSON.stringify(line)}\n`);
const clock = createNodeClock();

async function open(): Promise<{ journal: Journal; stop: () => Promise<void> }> {
  const data = { dataDir, siteId: 'harbour' };
  const onWritable = (writable: boolean) => void say({ kind: 'writable', writable });
  if (how === 'direct') {
    const deps = { signer: loadIdentity(dataDir), clock, random: nodeRandom, crypto: nodeCrypto };
    const { writer, report, close } = await openJournal(dataDir, deps, data, { onWritable });
    say({ kind: 'started', epoch: report.epoch.counter });
    return { journal: writer, stop: close };
  }
  const journal = new JournalClient(clock, data, {
    onWritable,
    onStart: ({ epoch, loss }) => void say({ kind: 'started', epoch: epoch.counter, ...(loss && { loss: loss.code }) }),
    onDown: ({ code }) => void say({ kind: 'down', code }),
  });
  await journal.start();
  return { journal, stop: () => journal.stop() };
}

const { journal, stop } = await open();
let isStopping = false;
let count = 0;

async function appendForEver(): Promise<void> {
  while (!isStopping) {
    const number = String(++count);
    const appendedNs = String(process.hrtime.bigint());
    try {
      const { id } = await journal.append({
        record: { name: 'access.granted', accessPointId: 'front', credentialId: 'anna', detail: { number } },
      });
      const heardNs = String(process.hrtime.bigint());
      say({ kind: 'acknowledged', epoch: id.epoch, sequence: id.sequence, number, appendedNs, heardNs });
    } catch (error) {
      say({ kind: 'refused', code: isSparcError(error) ? error.code : String(error), number });
      await new Promise<void>((resolve) => void clock.setTimer(20, resolve));
    }
  }
}

process.once('SIGTERM', () => {
  isStopping = true;
});
await Promise.all(Array.from({ length: Number(parallel) }, appendForEver));
await stop();
say({ kind: 'stopped' });
