import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { JOURNAL_FILE, nodeCrypto, openJournal, SqliteLogStore } from '@sparc/edge/ledger';
import { loadIdentity, nodeRandom } from '@sparc/edge/platform';
import type { EventRecord } from '@sparc/protocol/events';
import type { Position } from '@sparc/protocol/ledger';
import type { AppendedEntry, Clock } from '@sparc/protocol/ports';
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

/** Empties a journal as a gateway does once the cloud has had it for long enough; how many pieces that took. */
export function emptyJournal(dataDir: string, to: Position, piecesMax = Infinity): number {
  const store = SqliteLogStore.open(join(dataDir, JOURNAL_FILE));
  try {
    let count = 0;
    while (count < piecesMax && store.empty(to)) count += 1;
    return count;
  } finally {
    store.close();
  }
}

/** Entries that are appended at one instant. */
const AT_ONCE = 250;

/** The same of so many events of a door, spread over the time until now; a gateway whose key is there wrote them. */
export async function writeHistory(
  dataDir: string,
  { siteId, eventCount, spanMs }: { readonly siteId: string; readonly eventCount: number; readonly spanMs: number },
): Promise<void> {
  let passedMs = 0;
  const endUnixMs = Date.now();
  const clock: Clock = {
    ...systemClock,
    monotonicMs: () => passedMs,
    wall: () => ({ unixMs: endUnixMs - spanMs + passedMs, quality: 'synced' }),
  };
  const deps = { signer: loadIdentity(dataDir), clock, random: nodeRandom, crypto: nodeCrypto };
  const journal = await openJournal(dataDir, deps, { siteId }, {});
  for (let count = 0; count < eventCount; count += AT_ONCE) {
    passedMs = (spanMs * count) / eventCount;
    const events = Array.from({ length: Math.min(AT_ONCE, eventCount - count) }, (_, index) => ({
      name: index % 2 === 0 ? ('door.opened' as const) : ('door.closed' as const),
      doorId: `door-${(count + index) % 200}`,
    }));
    await Promise.all(events.map((record) => journal.writer.append({ record })));
  }
  await journal.close();
}
