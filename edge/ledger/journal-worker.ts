import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { createNodeClock, loadIdentity, nodeRandom } from '../platform/index.js';
import { openJournal } from './journal-folder.js';
import { toPlain, type FromJournal, type JournalThreadData, type Settled, type ToJournal } from './journal-messages.js';
import { nodeCrypto } from './node-crypto.js';

/** The journal's thread: the only writer of `journal.db`. Started by JournalClient. */
async function run(port: NonNullable<typeof parentPort>, { dataDir, siteId }: JournalThreadData): Promise<void> {
  const post = (message: FromJournal) => port.postMessage(message);
  const copyRefused = (error: unknown) => post({ kind: 'copyRefused', error: toPlain(error) });
  const deps = {
    signer: loadIdentity(dataDir),
    clock: createNodeClock(),
    random: nodeRandom,
    crypto: nodeCrypto,
  };
  const journal = await openJournal(
    dataDir,
    deps,
    { siteId },
    {
      onEmptyingFailed: copyRefused,
      onWritable: (writable, error) => post({ kind: 'writable', writable, ...(error && { error: toPlain(error) }) }),
      // After those who wait have heard of it.
      onFatal(error) {
        deps.clock.setTimer(0, () => {
          journal.abandon(error);
          fail(error);
        });
      },
    },
  );

  let results: Settled[] = [];
  /** All answers of one commit leave in one message. */
  function settle(result: Settled): void {
    if (results.push(result) > 1) return;
    queueMicrotask(() => {
      post({ kind: 'settled', results });
      results = [];
    });
  }

  /** What is not the cloud's word empties nothing. */
  async function empty({ copy, wall }: Extract<ToJournal, { kind: 'empty' }>): Promise<void> {
    try {
      await journal.empty(copy, wall);
    } catch (error) {
      copyRefused(error);
    }
  }

  function receive(message: ToJournal): void {
    switch (message.kind) {
      case 'append': {
        const { token } = message;
        journal.writer.append(message.draft, message.wall).then(
          ({ record: _, ...entry }) => settle({ token, entry }),
          (error: unknown) => settle({ token, error: toPlain(error) }),
        );
        break;
      }
      case 'observe':
        journal.writer.observe(message.hlc, message.wall);
        break;
      case 'lost':
        journal.writer.countLost(message.count, message.code, message.sinceUnixMs);
        break;
      case 'openEpochAbove':
        journal.writer.openEpochAbove(message.counter);
        break;
      case 'empty':
        void empty(message);
        break;
      case 'stop':
        void journal.close().then(() => port.close());
        break;
    }
  }

  port.on('message', (message: ToJournal) => {
    receive(message);
    // All that came during a flush goes into the next one.
    for (let next = receiveMessageOnPort(port); next; next = receiveMessageOnPort(port)) {
      receive(next.message as ToJournal);
    }
  });
  post({ kind: 'started', report: journal.report });
}

function fail(error: unknown): void {
  parentPort?.postMessage({ kind: 'failed', error: toPlain(error) } satisfies FromJournal);
  parentPort?.close();
}

if (parentPort) run(parentPort, workerData as JournalThreadData).catch(fail);
