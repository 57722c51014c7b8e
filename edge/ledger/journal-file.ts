import { existsSync } from 'node:fs';
import { Database } from '../platform/sqlite.js';
import { SparcError } from '@sparc/protocol/errors';
import { positionOf, type ChainedEntry, type Position } from '@sparc/protocol/ledger';
import { guarded, LogTables, type StoredHead } from './log-tables.js';
import { toLoggedEntry, type LoggedEntry } from './logged-entry.js';

const BUSY_TIMEOUT_MS = 2_000;
const ROWS = 1_000;

/** A journal file for reading, as it was at one instant, also while its gateway writes. */
export interface JournalFile {
  readonly newest: StoredHead | undefined;
  /** In order, all of them or those after `after`. */
  readonly entries: (after?: Position) => Iterable<ChainedEntry>;
  /** The last `limit` entries before `before`, in order. */
  readonly entriesBefore: (before: Position, limit: number) => readonly ChainedEntry[];
  readonly heads: () => Iterable<StoredHead>;
  /** SQLite's own check of its pages; undefined when all is well. */
  readonly damage: () => string | undefined;
}

/**
 * Reads a journal file. While `use` runs, the journal's write-ahead log is not cut back.
 * Throws ERR_LEDGER_ABSENT or ERR_LEDGER_CORRUPT.
 */
export function withJournalFile<T>(path: string, use: (file: JournalFile) => T): T {
  if (!existsSync(path)) throw new SparcError('ERR_LEDGER_ABSENT', `there is no journal at ${path}`, { path });
  let database: Database | undefined;
  try {
    return guarded(() => {
      const opened = (database = new Database(path, { readonly: true, timeout: BUSY_TIMEOUT_MS }));
      return opened.transaction(() => use(journalFile(opened)))();
    });
  } catch (error) {
    if (!(error instanceof Database.SqliteError)) throw error;
    throw new SparcError('ERR_LEDGER_ABSENT', `${path} cannot be read: ${error.message}`, { path }, { cause: error });
  } finally {
    database?.close();
  }
}

function journalFile(database: Database): JournalFile {
  const tables = new LogTables(database);
  return {
    newest: tables.newestHead(),
    entries: (after) => paged((from) => tables.entries(from, ROWS), placeOf, after),
    entriesBefore: (before, limit) => tables.entriesBefore(before, limit),
    heads: () =>
      paged(
        (from) => tables.heads(from, ROWS),
        ({ head }) => positionOf(head),
      ),
    damage() {
      const found = String(database.pragma('integrity_check(1)', { simple: true }));
      return found === 'ok' ? undefined : found;
    },
  };
}

function* paged<T>(
  read: (after: Position | undefined) => readonly T[],
  place: (row: T) => Position,
  after?: Position,
): Iterable<T> {
  for (;;) {
    const rows = read(after);
    yield* rows;
    const last = rows.at(-1);
    if (last === undefined) return;
    after = place(last);
  }
}

export const placeOf = ({ epoch, sequence }: Pick<ChainedEntry, 'epoch' | 'sequence'>): Position => ({
  epoch: epoch.counter,
  sequence,
});

/** Beyond every entry. */
const END: Position = { epoch: Number.MAX_SAFE_INTEGER, sequence: 0 };

/**
 * At most `limit` entries in order: the first ones after `after`, or the last ones before `before` (default: the end).
 * Throws as `withJournalFile`.
 */
export function readEntries(
  path: string,
  range: { readonly limit: number } & ({ readonly after: Position } | { readonly before?: Position }),
): LoggedEntry[] {
  return withJournalFile(path, ({ newest, entries, entriesBefore }) => {
    if (newest === undefined) return [];
    const { author } = newest.head;
    if (!('after' in range)) {
      return entriesBefore(range.before ?? END, range.limit).map((entry) => toLoggedEntry(author, entry));
    }
    const read: LoggedEntry[] = [];
    for (const entry of entries(range.after)) {
      if (read.length === range.limit) break;
      read.push(toLoggedEntry(author, entry));
    }
    return read;
  });
}
