import type { Position } from '@sparc/protocol/ledger';
import type { Clock } from '@sparc/protocol/ports';
import { readEntries } from './journal-file.js';
import type { LoggedEntry } from './logged-entry.js';

/** Entries read at a time: the doors go on working in between. */
const PAGE_SIZE = 200;

/** The entries before `before` (default: the end) in pages, the newest page first, each in order. Throws as `readEntries`. */
export async function* readPagesBack(
  path: string,
  clock: Clock,
  before?: Position,
): AsyncGenerator<readonly LoggedEntry[]> {
  for (let end = before; ;) {
    const page = readEntries(path, { limit: PAGE_SIZE, ...(end && { before: end }) });
    const [first] = page;
    if (first === undefined) return;
    yield page;
    end = first.id;
    await new Promise<void>((resolve) => clock.setTimer(1, resolve));
  }
}

/** As `readPagesBack`, entry by entry, newest first. */
export async function* readBack(path: string, clock: Clock, before?: Position): AsyncGenerator<LoggedEntry> {
  for await (const page of readPagesBack(path, clock, before)) yield* page.toReversed();
}
