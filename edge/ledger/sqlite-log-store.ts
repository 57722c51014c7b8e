import { closeSync, openSync, readSync } from 'node:fs';
import { Database } from '../platform/sqlite.js';
import { SparcError } from '@sparc/protocol/errors';
import { positionOf, type ChainedEntry, type Position } from '@sparc/protocol/ledger';
import type { LogCommit, LogStore, LogTail } from '@sparc/protocol/ports';
import { EntryEmptying } from './entry-emptying.js';
import { corrupt, guarded, LogTables, MIGRATIONS, sqliteCode } from './log-tables.js';

const SQLITE_MAGIC = Buffer.from('SQLite format 3\0');
/** A commit waits this long for a reader that holds the file, such as a checkpoint by another tool. */
const BUSY_TIMEOUT_MS = 1_000;
/** Commits after which an idle moment is used for a checkpoint; a commit takes 2 to 4 pages of 4 KiB in the WAL. */
const CHECKPOINT_COMMITS = 250;
/** Commits after which a checkpoint is made even when entries wait, so that the WAL stays under about 64 MiB. */
const CHECKPOINT_COMMITS_MAX = 4_000;
/** A WAL that a long reader made larger is cut back to this at its next restart. */
const WAL_BYTES_KEPT = 16 * 1024 * 1024;
/** A piece of emptying takes some 13 pages in the WAL. */
const PIECE_COMMITS = 5;

/**
 * The journal in a SQLite file: write-ahead log, every commit flushed (`synchronous = FULL`), one writer. Checkpoints
 * are made when nothing waits.
 */
export class SqliteLogStore implements LogStore {
  readonly #database: Database;
  readonly #tables: LogTables;
  readonly #emptying: EntryEmptying;
  readonly #statements;
  #end: Position | undefined;
  #commitsInWal = 0;
  /** A reader keeps the WAL from being cut back. */
  #isWalHeld = false;

  private constructor(database: Database) {
    this.#database = database;
    this.#tables = new LogTables(database);
    this.#emptying = new EntryEmptying(database, this.#tables);
    this.#statements = prepareStatements(database);
    const newest = this.#tables.newestHead();
    this.#end = newest && positionOf(newest.head);
  }

  /** Opens or creates. Throws ERR_LEDGER_CORRUPT, also for a newer schema, or ERR_LEDGER_WRITE_FAILED. */
  static open(path: string): SqliteLogStore {
    let database: Database | undefined;
    try {
      // Before SQLite looks: it deletes the write-ahead log beside a file that it does not know, and with it evidence.
      if (!isDatabaseOrNew(path)) throw corrupt('it is no SQLite file');
      return guarded(() => {
        database = new Database(path, { timeout: BUSY_TIMEOUT_MS });
        database.pragma('journal_mode = WAL');
        database.pragma('synchronous = FULL');
        database.pragma('wal_autocheckpoint = 0');
        database.pragma(`journal_size_limit = ${WAL_BYTES_KEPT}`);
        migrate(database);
        return new SqliteLogStore(database);
      });
    } catch (error) {
      database?.close();
      throw error instanceof SparcError ? error : writeFailed(error);
    }
  }

  tail(): LogTail | undefined {
    return this.#tables.tail();
  }

  entries(after: Position | undefined, limit: number): readonly ChainedEntry[] {
    return this.#tables.entries(after, limit);
  }

  async commit(commit: LogCommit): Promise<void> {
    this.#transact(() => this.#insert(commit));
    this.#end = positionOf(commit.head);
    this.#written(1);
  }

  /**
   * Drops the bodies of some passing entries up to `to`; false when none are left. While a reader holds the WAL it drops nothing: that would
   * grow by as much as is emptied, on a disk that may have no room for it. Throws ERR_LEDGER_WRITE_FAILED, or ERR_LEDGER_CORRUPT
   * where an entry is not what its author wrote.
   */
  empty(to: Position): boolean {
    if (this.#isWalHeld) this.#checkpoint();
    if (this.#isWalHeld) return true;
    const hasMore = this.#transact(() => this.#emptying.step(to));
    if (hasMore) this.#written(PIECE_COMMITS);
    return hasMore;
  }

  rest(): void {
    if (this.#commitsInWal >= CHECKPOINT_COMMITS) this.#checkpoint();
  }

  close(): void {
    this.#database.close();
  }

  #transact<T>(work: () => T): T {
    const { begin, commit, rollback } = this.#statements;
    try {
      return guarded(() => {
        begin.run();
        const result = work();
        commit.run();
        return result;
      });
    } catch (error) {
      if (this.#database.inTransaction) rollback.run();
      throw error instanceof SparcError ? error : writeFailed(error);
    }
  }

  #written(commits: number): void {
    this.#commitsInWal += commits;
    if (this.#commitsInWal >= CHECKPOINT_COMMITS_MAX) this.#checkpoint();
  }

  #insert({ entries, head, recovery }: LogCommit): void {
    const { newest, insertEpoch, insertEntry, insertHead, forget } = this.#statements;
    const { counter, random } = head.epoch;
    const end = newest.get();
    if (end?.epoch !== this.#end?.epoch || end?.sequence !== this.#end?.sequence) {
      throw new SparcError('ERR_LEDGER_IN_USE', 'another process writes to this journal');
    }
    if (entries[0]?.sequence === 1) insertEpoch.run(counter, random, head.site, head.author);
    for (const { sequence, hash, content } of entries) insertEntry.run(counter, sequence, hash, content);
    insertHead.run(counter, head.sequence, head.signature, recovery);
    if (end !== undefined) forget.run(end.epoch, end.sequence);
  }

  /** Best effort: a reader in the way or a full disk leaves the WAL for the next time. */
  #checkpoint(): void {
    this.#commitsInWal = 0;
    try {
      const [done] = this.#database.pragma('wal_checkpoint(PASSIVE)') as { log: number; checkpointed: number }[];
      this.#isWalHeld = done !== undefined && done.checkpointed < done.log;
    } catch {
      // The commits are in the WAL and on disk; only its length is at stake.
    }
  }
}

function prepareStatements(database: Database) {
  return {
    begin: database.prepare('BEGIN IMMEDIATE'),
    commit: database.prepare('COMMIT'),
    rollback: database.prepare('ROLLBACK'),
    newest: database.prepare<[], Position>(
      'SELECT epoch, sequence FROM head ORDER BY epoch DESC, sequence DESC LIMIT 1',
    ),
    insertEpoch: database.prepare('INSERT INTO epoch (counter, random, site, author) VALUES (?, ?, ?, ?)'),
    insertEntry: database.prepare('INSERT INTO entry (epoch, sequence, hash, content) VALUES (?, ?, ?, ?)'),
    insertHead: database.prepare('INSERT INTO head (epoch, sequence, signature, recovery) VALUES (?, ?, ?, ?)'),
    forget: database.prepare('UPDATE head SET recovery = NULL WHERE epoch = ? AND sequence = ?'),
  };
}

function isDatabaseOrNew(path: string): boolean {
  const header = Buffer.alloc(SQLITE_MAGIC.length);
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true;
    throw error;
  }
  try {
    return readSync(descriptor, header) === 0 || header.equals(SQLITE_MAGIC);
  } finally {
    closeSync(descriptor);
  }
}

function migrate(database: Database): void {
  const version = Number(database.pragma('user_version', { simple: true }));
  if (version > MIGRATIONS.length) throw corrupt(`its schema ${version} is newer than this program`);
  database.transaction(() => {
    for (const migration of MIGRATIONS.slice(version)) database.exec(migration);
    if (version < MIGRATIONS.length) database.pragma(`user_version = ${MIGRATIONS.length}`);
  })();
}

function writeFailed(cause: unknown): SparcError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new SparcError(
    'ERR_LEDGER_WRITE_FAILED',
    `the journal cannot write: ${reason}`,
    { sqlite: sqliteCode(cause) },
    { cause },
  );
}
