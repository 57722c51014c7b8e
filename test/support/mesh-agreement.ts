import { join } from 'node:path';
import type { MeshView } from '@sparc/edge/api';
import { JournalLog, JOURNAL_FILE } from '@sparc/edge/ledger';
import { loadIdentity } from '@sparc/edge/platform';
import { REPLICA_FILE, SqliteReplicaStore } from '@sparc/edge/replica';
import type { Batch } from '@sparc/protocol/ledger';
import type { AuthorLog, EpochEnd } from '@sparc/protocol/replication';
import type { Test } from 'tap';
import type { MeshGateway } from './mesh-gateway.js';
import { isOverdue, lookPause } from './peers.js';

/** For a machine that has other things to do as well. */
export const AGREED_MAX_MS = 60_000;

/** Heads by author, as one gateway has them on disk. */
const headsOf = ({ logs }: MeshView): string =>
  JSON.stringify(
    logs
      .map(({ author, heads }) => [author, heads.map(({ hash }) => hash)])
      .sort(([a], [b]) => (String(a) < String(b) ? -1 : 1)),
  );

/**
 * Resolves when each has the logs of all, and says that so many neighbours have its own (default: all others); gives how
 * long that took, in milliseconds.
 */
export async function agreed(gateways: readonly MeshGateway[], copiesCount = gateways.length - 1): Promise<number> {
  const fromMs = performance.now();
  for (;;) {
    const views = await Promise.all(gateways.map((gateway) => gateway.mesh()));
    const held = new Set(views.map((view) => (view === undefined ? '' : headsOf(view))));
    const isAll = views.every((view) => (view?.logs.length ?? 0) >= gateways.length);
    const isReplicated = views.every((view) => (view?.own?.replicasCount ?? 0) >= copiesCount);
    const waitedMs = performance.now() - fromMs;
    if (held.size === 1 && isAll && isReplicated) return waitedMs;
    if (isOverdue(waitedMs, AGREED_MAX_MS)) {
      const outputs = gateways.map(({ name, output }) => `${name}: ${output.slice(-1_500)}`);
      throw new Error(`not the same logs: ${JSON.stringify(views)}\n${outputs.join('\n')}`);
    }
    await lookPause(waitedMs);
  }
}

/** Public key, in hex. */
export const authorOf = ({ dataDir }: MeshGateway): string =>
  Buffer.from(loadIdentity(dataDir).publicKey).toString('hex');

/** All bytes of a log, from one store or another. */
function bytesOf(log: AuthorLog, batchAfter: (after: EpochEnd) => Batch | undefined): Buffer {
  const pieces: Uint8Array[] = [];
  for (const { head } of [...log].sort((a, b) => a.head.epoch.counter - b.head.epoch.counter)) {
    let sequence = 0;
    for (let batch = batchAfter({ epoch: head.epoch, sequence }); batch !== undefined;) {
      pieces.push(...batch.contents);
      sequence += batch.contents.length;
      batch = batchAfter({ epoch: head.epoch, sequence });
    }
  }
  return Buffer.concat(pieces);
}

/** What is on disk of each log is byte for byte what its author has, up to where the others have it. */
export function sameBytes(t: Test, gateways: readonly MeshGateway[]): void {
  for (const author of gateways) {
    const { publicKey } = loadIdentity(author.dataDir);
    const key = authorOf(author);
    const journal = new JournalLog(join(author.dataDir, JOURNAL_FILE), publicKey);
    const original = bytesOf(journal.log(), (after) => journal.batchAfter(after));
    journal.close();
    for (const holder of gateways.filter((gateway) => gateway !== author)) {
      const store = SqliteReplicaStore.open(join(holder.dataDir, REPLICA_FILE));
      const copy = bytesOf(store.logs().get(key) ?? [], (after) => store.batchAfter(key, after));
      store.close();
      t.ok(copy.length > 500, `${holder.name} has ${copy.length} of ${original.length} bytes of ${author.name}`);
      t.ok(original.subarray(0, copy.length).equals(copy), 'the same ones');
    }
  }
}
