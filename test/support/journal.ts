import { mkdirSync } from 'node:fs';
import { nodeCrypto, openJournal } from '@sparc/edge/ledger';
import { loadIdentity, nodeRandom } from '@sparc/edge/platform';
import type { EventRecord } from '@sparc/protocol/events';
import type { AppendedEntry } from '@sparc/protocol/ports';
import { systemClock } from './system-clock.js';

/** Writes a real journal of so many events into a data directory, and its identity. */
export function writeJournal(dataDir: string, eventCount: number): Promise<readonly AppendedEntry[]> {
  return writeRecords(
    dataDir,
    Array.from({ length: eventCount }, (_, index) => ({ name: 'door.opened', doorId: `door-${index}` })),
  );
}

/** The same of these events. */
export async function writeRecords(
  dataDir: string,
  records: readonly EventRecord[],
): Promise<readonly AppendedEntry[]> {
  mkdirSync(dataDir, { recursive: true });
  const deps = { signer: loadIdentity(dataDir), clock: systemClock, random: nodeRandom, crypto: nodeCrypto };
  const journal = await openJournal(dataDir, deps, { siteId: 'harbour' }, {});
  const entries = await Promise.all(records.map((record) => journal.writer.append({ record })));
  await journal.close();
  return entries;
}
