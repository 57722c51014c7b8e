import { mkdirSync, watch } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { verifySignature } from '../../platform/index.js';
import { policyFolder } from '../generation-files.js';
import { ReplicaWatch } from '../replica-watch.js';

/** What the client hands over. */
export interface ReplicaWorkerData {
  readonly dataDir: string;
  /** Ed25519, 32 bytes: who may sign a generation. */
  readonly publicKey: Uint8Array;
}

/** Notifications are lost on some file systems; the pointer is read this often in any case. */
const POLL_INTERVAL_MS = 1_000;

const { dataDir, publicKey } = workerData as ReplicaWorkerData;
const replica = new ReplicaWatch(dataDir, (message, signature) => verifySignature(publicKey, message, signature));
const look = () => {
  for (const message of replica.look()) parentPort?.postMessage(message);
};

mkdirSync(policyFolder(dataDir), { recursive: true });
look();
setInterval(look, POLL_INTERVAL_MS);
try {
  watch(policyFolder(dataDir), look).on('error', () => undefined);
} catch {
  // Where the system has no watch left to give, the poll alone has to do.
}
