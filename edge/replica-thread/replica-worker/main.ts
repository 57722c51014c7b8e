import { mkdirSync, watch } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { expulsionsFromTexts } from '../../membership/index.js';
import { createNodeClock, verifySignature } from '../../platform/index.js';
import { policyFolder, ReplicaWatch } from '../../policy/index.js';
import { HeardFeed } from '../heard-feed.js';
import type { FromReplica, ReplicaThreadData, ToReplica } from '../replica-messages.js';

/** Notifications are lost on some file systems; the pointer is read this often in any case, and so are the replicas. */
const POLL_INTERVAL_MS = 1_000;

const { dataDir, publicKey } = workerData as ReplicaThreadData;
const post = (message: FromReplica) => parentPort?.postMessage(message);

const replica = new ReplicaWatch(dataDir, (message, signature) => verifySignature(publicKey, message, signature));
let looking: Promise<void> | undefined;
let isWanted = false;

/** What was heard has its turn in between. */
async function lookAll(): Promise<void> {
  while (isWanted) {
    isWanted = false;
    const work = replica.lookInPieces();
    let step = work.next();
    for (; step.done !== true; step = work.next()) await setImmediate();
    for (const message of step.value) post(message);
  }
}

const look = () => {
  isWanted = true;
  looking ??= lookAll().finally(() => (looking = undefined));
};

let taken: () => void = () => undefined;
const feed = new HeardFeed(
  {
    clock: createNodeClock(),
    tell: (heard) => {
      const isTaken = new Promise<void>((resolve) => (taken = resolve));
      post({ kind: 'heard', heard });
      return isTaken;
    },
    onUnheard: (unheard) => post({ kind: 'unheard', ...unheard }),
    turn: setImmediate,
  },
  { dataDir, publicKey },
);

mkdirSync(policyFolder(dataDir), { recursive: true });
look();
setInterval(look, POLL_INTERVAL_MS);
try {
  watch(policyFolder(dataDir), look).on('error', () => undefined);
} catch {
  // Where the system has no watch left to give, the poll alone has to do.
}
parentPort?.on('message', (message: ToReplica) => {
  const { kind } = message;
  if (kind === 'taken') return taken();
  if (kind === 'ask') return post({ kind: 'alive' });
  if (kind === 'expelled') feed.expelled(expulsionsFromTexts(message.expulsions));
  if (kind === 'hear') setInterval(() => void feed.look(), POLL_INTERVAL_MS);
  void feed.look();
});
