import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { JOURNAL_FILE, JournalLog } from '../ledger/index.js';
import { REPLICA_FILE, SqliteReplicaStore, type ReadableLogs } from '../replica/index.js';

/**
 * Hands all logs that a data directory holds to `use`: the own one and those of others, whether its gateway runs or not.
 * Throws ERR_LEDGER_CORRUPT.
 */
export function withLogsOf<T>(dataDir: string, publicKey: Uint8Array, use: (logs: ReadableLogs) => T): T {
  const [journal, replicas] = [join(dataDir, JOURNAL_FILE), join(dataDir, REPLICA_FILE)];
  const own = existsSync(journal) ? new JournalLog(journal, publicKey) : undefined;
  try {
    const others = existsSync(replicas) ? SqliteReplicaStore.openReadOnly(replicas) : undefined;
    try {
      return use(together(own, others));
    } finally {
      others?.close();
    }
  } finally {
    own?.close();
  }
}

function together(own: JournalLog | undefined, others: SqliteReplicaStore | undefined): ReadableLogs {
  const logs = new Map(others?.logs());
  if (own !== undefined) logs.set(own.author, own.log());
  return {
    logs: () => logs,
    batchAfter: (author, after) => (author === own?.author ? own.batchAfter(after) : others?.batchAfter(author, after)),
  };
}
