import type { Position } from '@sparc/protocol/ledger';
import type { Clock } from '@sparc/protocol/ports';
import { readEntries } from './journal-file.js';
import type { LoggedEntry } from './logged-entry.js';

/** Entries read at a time: the doors go on working in between. */
const PAGE_SIZE = 200;

/** The entries before `before` (default: the end), newest first. Throws as `readEntries`. */
export async function* readBack(path: string, clock: Clock, before?: Position): AsyncGenerator<LoggedEntry> {
  for (let end = before; ;) {
    const page = readEntries(path, { limit: PAGE_SIZE, ...(end && { before: end }) });
    yield* page.toReversed();
    const [first] = page;
    if (first === undefined) return;
    end = first.id;
    await new Promise<void>((resolve) => clock.setTimer(1, resolve));
  }
}
