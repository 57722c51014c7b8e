import { join } from 'node:path';
import type { Position } from '@sparc/protocol/ledger';
import type { Clock } from '@sparc/protocol/ports';
import { readEntries } from './journal-file.js';
import { JOURNAL_FILE } from './journal-folder.js';
import type { LoggedEntry } from './logged-entry.js';

/** Entries read at a time: the doors go on working in between. */
const PAGE_SIZE = 200;

/** Entries of the own journal, the newest first, read as they are wanted. Throws as `readEntries`. */
export type EntriesBack = AsyncIterable<LoggedEntry>;

/** What the journal of a data directory has before `before`; default: all. */
export async function* readBack(dataDir: string, clock: Clock, before?: Position): AsyncGenerator<LoggedEntry> {
  const path = join(dataDir, JOURNAL_FILE);
  for (let end = before; ;) {
    const page = readEntries(path, { limit: PAGE_SIZE, ...(end && { before: end }) });
    const [first] = page;
    if (first === undefined) return;
    yield* page.toReversed();
    end = first.id;
    await new Promise<void>((resolve) => clock.setTimer(1, resolve));
  }
}
