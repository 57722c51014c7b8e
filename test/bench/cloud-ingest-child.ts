import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import { createDatabase, openConnections } from '@sparc/cloud-sync/db';
import { Months, takeBatch } from '@sparc/cloud-sync/ingest';
import { nodeCrypto, toHex } from '@sparc/cloud-sync/platform';
import { BatchFile } from '@sparc/protocol/ledger';
import { SEALING_SECRET } from '../support/sealing.js';

/** What one process did. */
export interface Ingested {
  readonly entriesCount: number;
  readonly cpuMs: number;
  readonly peakBytes: number;
}

/** Takes the batches of each of these files, in its order; those of several at a time. */
async function ingest(url: string, tenant: string, files: readonly string[]): Promise<Ingested> {
  const connections = await openConnections({ url, connectionsMax: 4 });
  const database = createDatabase(connections, SEALING_SECRET);
  const deps = { database, crypto: nodeCrypto, months: new Months(database) };
  const logs = files.map((file) => BatchFile.decode(readFileSync(file)).batches);
  process.send?.('ready');
  await once(process, 'message');
  const before = process.cpuUsage();
  let entriesCount = 0;
  const takeLogs = async () => {
    for (let log = logs.pop(); log !== undefined; log = logs.pop()) {
      for (const batch of log) {
        const carrier = { tenant, site: 'harbour', gateway: toHex(batch.author) };
        const taken = await takeBatch(deps, carrier, batch);
        if (taken.kind !== 'stored') throw new Error(`a batch is ${taken.kind}`);
        entriesCount += taken.entriesCount;
      }
    }
  };
  await Promise.all([takeLogs(), takeLogs()]);
  const { user, system } = process.cpuUsage(before);
  await connections.close();
  return { entriesCount, cpuMs: (user + system) / 1_000, peakBytes: process.resourceUsage().maxRSS * 1_024 };
}

const [url = '', tenant = '', ...files] = process.argv.slice(2);
process.send?.(await ingest(url, tenant, files));
process.disconnect();
