import type Database from 'better-sqlite3';
import { SparcError } from '@sparc/protocol/errors';
import { type ChainedEntry, type Position, type SignedHead } from '@sparc/protocol/ledger';
import type { LogTail } from '@sparc/protocol/ports';

/** Schema versions in order; `user_version` counts those applied. */
export const MIGRATIONS: readonly string[] = [
  `CREATE TABLE epoch (
     counter INTEGER PRIMARY KEY,
     random BLOB NOT NULL,
     site TEXT NOT NULL,
     author BLOB NOT NULL
   ) STRICT;
   CREATE TABLE entry (
     epoch INTEGER NOT NULL REFERENCES epoch,
     sequence INTEGER NOT NULL,
     hash BLOB NOT NULL,
     content BLOB NOT NULL,
     PRIMARY KEY (epoch, sequence)
   ) STRICT, WITHOUT ROWID;
   -- One row a commit; the hash it signs is that of its entry. Only the newest has something to recover.
   CREATE TABLE head (
     epoch INTEGER NOT NULL REFERENCES epoch,
     sequence INTEGER NOT NULL,
     signature BLOB NOT NULL,
     recovery BLOB,
     PRIMARY KEY (epoch, sequence)
   ) STRICT, WITHOUT ROWID;`,
  `-- One row: up to where passing entries are emptied.
   CREATE TABLE emptied_to (
     only INTEGER PRIMARY KEY CHECK (only = 0),
     epoch INTEGER NOT NULL,
     sequence INTEGER NOT NULL
   ) STRICT;`,
];

interface EntryRow {
  readonly epoch: number;
  readonly sequence: number;
  readonly random: Uint8Array | null;
  readonly hash: Uint8Array;
  readonly content: Uint8Array;
}

interface HeadRow {
  readonly epoch: number;
  readonly sequence: number;
  readonly random: Uint8Array | null;
  readonly site: string;
  readonly author: Uint8Array;
  readonly hash: Uint8Array | null;
  readonly signature: Uint8Array;
  readonly recovery: Uint8Array | null;
}

/** A head as it is stored; where its entry is gone, its hash is zero. */
export interface StoredHead {
  readonly head: SignedHead;
  readonly recovery: Uint8Array | undefined;
}

/** More than a row of ours has in one cell. SQLite takes up to 1 GB for one, and a page of rows is read at once. */
const CELL_BYTES_MAX = 131_072;
/** A longer cell reads as absent, which is damage; its length is known without reading it. */
const cell = (column: string, name: string) =>
  `CASE WHEN octet_length(${column}) <= ${CELL_BYTES_MAX} THEN ${column} END AS ${name}`;

const START: Position = { epoch: 0, sequence: 0 };
const ENTRY_COLUMNS = `entry.epoch, entry.sequence, ${cell('epoch.random', 'random')},
  ${cell('entry.hash', 'hash')}, ${cell('entry.content', 'content')}
  FROM entry LEFT JOIN epoch ON epoch.counter = entry.epoch`;
const HEAD_COLUMNS = `head.epoch, head.sequence, ${cell('epoch.random', 'random')}, ${cell('epoch.site', 'site')},
  ${cell('epoch.author', 'author')}, ${cell('entry.hash', 'hash')}, ${cell('head.signature', 'signature')},
  ${cell('head.recovery', 'recovery')}
  FROM head LEFT JOIN epoch ON epoch.counter = head.epoch
  LEFT JOIN entry ON entry.epoch = head.epoch AND entry.sequence = head.sequence`;

/** Reads the tables of a journal. Throws ERR_LEDGER_CORRUPT where SQLite finds them damaged. */
export class LogTables {
  readonly #entries;
  readonly #entriesBefore;
  readonly #heads;
  readonly #newestHead;
  readonly #lastHead;
  readonly #epochs;

  constructor(database: Database.Database) {
    // A view under the name of a table could compute for ever.
    const foreign = database.prepare(
      `SELECT 1 FROM sqlite_schema WHERE type IN ('view', 'trigger') OR sql LIKE 'CREATE VIRTUAL%'`,
    );
    if (guarded(() => foreign.get()) !== undefined) throw corrupt('it has more than tables');
    this.#entries = database.prepare<[number, number, number], EntryRow>(
      `SELECT ${ENTRY_COLUMNS} WHERE (entry.epoch, entry.sequence) > (?, ?)
       ORDER BY entry.epoch, entry.sequence LIMIT ?`,
    );
    this.#entriesBefore = database.prepare<[number, number, number], EntryRow>(
      `SELECT ${ENTRY_COLUMNS} WHERE (entry.epoch, entry.sequence) < (?, ?)
       ORDER BY entry.epoch DESC, entry.sequence DESC LIMIT ?`,
    );
    this.#heads = database.prepare<[number, number, number], HeadRow>(
      `SELECT ${HEAD_COLUMNS} WHERE (head.epoch, head.sequence) > (?, ?) ORDER BY head.epoch, head.sequence LIMIT ?`,
    );
    this.#lastHead = database.prepare<[number], HeadRow>(
      `SELECT ${HEAD_COLUMNS} WHERE head.epoch = ? ORDER BY head.sequence DESC LIMIT 1`,
    );
    this.#epochs = database.prepare<[], number>('SELECT counter FROM epoch ORDER BY counter').pluck();
    this.#newestHead = database.prepare<[], HeadRow>(
      `SELECT ${HEAD_COLUMNS} ORDER BY head.epoch DESC, head.sequence DESC LIMIT 1`,
    );
  }

  /** Counters of all epochs, oldest first. */
  epochs(): number[] {
    return guarded(() => this.#epochs.all());
  }

  /** The last head of an epoch. */
  lastHead(epoch: number): StoredHead | undefined {
    return guarded(() => {
      const row = this.#lastHead.get(epoch);
      return row && headOf(row);
    });
  }

  entries(after: Position = START, limit: number): ChainedEntry[] {
    return guarded(() => this.#entries.all(after.epoch, after.sequence, limit).map(entryOf));
  }

  /** The last ones before `before`, in order. */
  entriesBefore(before: Position, limit: number): ChainedEntry[] {
    return guarded(() => this.#entriesBefore.all(before.epoch, before.sequence, limit).map(entryOf).reverse());
  }

  heads(after: Position = START, limit: number): StoredHead[] {
    return guarded(() => this.#heads.all(after.epoch, after.sequence, limit).map(headOf));
  }

  newestHead(): StoredHead | undefined {
    return guarded(() => {
      const row = this.#newestHead.get();
      return row && headOf(row);
    });
  }

  tail(): LogTail | undefined {
    const newest = this.newestHead();
    if (newest === undefined) return undefined;
    if (newest.recovery === undefined) throw corrupt('the newest head has nothing to recover');
    return { head: newest.head, recovery: newest.recovery };
  }
}

function entryOf({ epoch, sequence, random, hash, content }: EntryRow): ChainedEntry {
  return {
    epoch: { counter: epoch, random: bytesOf(random) },
    sequence,
    hash: bytesOf(hash),
    content: bytesOf(content),
  };
}

function headOf(row: HeadRow): StoredHead {
  if (typeof row.site !== 'string') throw corrupt('a site is no text');
  return {
    head: {
      site: row.site,
      author: bytesOf(row.author),
      epoch: { counter: row.epoch, random: bytesOf(row.random) },
      sequence: row.sequence,
      hash: row.hash === null ? new Uint8Array(32) : bytesOf(row.hash),
      signature: bytesOf(row.signature),
    },
    recovery: row.recovery === null ? undefined : bytesOf(row.recovery),
  };
}

/** SQLite hands out what is in a damaged cell, whatever the column says. */
function bytesOf(value: unknown): Uint8Array {
  if (!(value instanceof Uint8Array)) throw corrupt('a row is incomplete');
  return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
}

export const corrupt = (why: string, cause?: unknown) =>
  new SparcError('ERR_LEDGER_CORRUPT', `the journal is damaged: ${why}`, {}, { cause });

/** SQLite's own word for a damaged or foreign file becomes ERR_LEDGER_CORRUPT; other errors pass. */
export function guarded<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw isDamage(error) ? corrupt((error as Error).message, error) : error;
  }
}

export const sqliteCode = (error: unknown) => String((error as { code?: unknown }).code);

/** A plain SQLITE_ERROR on our fixed statements means that the tables are not what they were. */
const isDamage = (error: unknown) => /^SQLITE_(CORRUPT|NOTADB|ERROR$)/.test(sqliteCode(error));
