import { existsSync } from 'node:fs';
import { isSparcError, SparcError } from '@sparc/protocol/errors';
import { HASH_BYTES, SignedHead, type Batch, type EpochId } from '@sparc/protocol/ledger';
import type { ReplicaAppend, ReplicaStore } from '@sparc/protocol/ports';
import {
  Before,
  forkName,
  isSameEpoch,
  type AuthorLog,
  type EpochEnd,
  type Fork,
  type HeldEpoch,
} from '@sparc/protocol/replication';
import { toHex } from '../platform/index.js';
import { Database } from '../platform/sqlite.js';
import { ReplicaBatches } from './replica-batches.js';
import { MIGRATIONS, PreviousLink } from './replica-tables.js';

/** In a data directory. */
export const REPLICA_FILE = 'replica.db';
const BUSY_TIMEOUT_MS = 1_000;
/** 16 MiB of write-ahead log: what comes fast is written into place once, not with every few batches. */
const CHECKPOINT_PAGES = 4_096;

interface EpochRow {
  readonly epoch: number;
  readonly author: Uint8Array;
  readonly counter: number;
  readonly random: Uint8Array;
  readonly site: string;
  readonly previous: Uint8Array | null;
  readonly sizeBytes: number;
  readonly emptiedTo: number;
  readonly sequence: number;
  readonly hash: Uint8Array;
  readonly signature: Uint8Array;
}
/** An epoch with the number that its rows have. */
interface Stored extends HeldEpoch {
  readonly row: number;
  sizeBytes: number;
  /** Sequence; 0: nothing was. */
  emptiedTo: number;
}

/** Logs of other authors in a SQLite file: write-ahead log, every append flushed (`synchronous = FULL`), one writer. */
export class SqliteReplicaStore implements ReplicaStore {
  readonly #db: Database;
  readonly #statements;
  readonly #batches: ReplicaBatches;
  readonly #logs = new Map<string, Stored[]>();

  /** Changes with what other connections write. */
  #loaded: number;

  private constructor(
    db: Database,
    private readonly author?: string,
  ) {
    this.#db = db;
    this.#statements = prepare(db);
    this.#batches = new ReplicaBatches(db);
    this.#loaded = this.#version();
    this.#load(author);
  }

  /** Opens or creates. Throws ERR_LEDGER_CORRUPT or ERR_LEDGER_WRITE_FAILED. */
  static open(path: string): SqliteReplicaStore {
    let db: Database | undefined;
    try {
      return guarded(() => {
        db = new Database(path, { timeout: BUSY_TIMEOUT_MS });
        db.pragma('journal_mode = WAL');
        db.pragma('synchronous = FULL');
        db.pragma(`wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
        migrate(db);
        return new SqliteReplicaStore(db);
      });
    } catch (error) {
      db?.close();
      throw error;
    }
  }

  /**
   * One that another process writes, as it is now: all of it, or what it holds of one author, whose key is given in hex.
   * Throws ERR_LEDGER_CORRUPT, and ERR_LEDGER_ABSENT also where that process has not made its tables yet.
   */
  static openReadOnly(path: string, author?: string): SqliteReplicaStore {
    const absent = () => new SparcError('ERR_LEDGER_ABSENT', `there are no replicas at ${path}`, { path });
    if (!existsSync(path)) throw absent();
    const db = guarded(() => new Database(path, { readonly: true, timeout: BUSY_TIMEOUT_MS }));
    try {
      if (guarded(() => schemaOf(db)) < MIGRATIONS.length) throw absent();
      return guarded(() => new SqliteReplicaStore(db, author));
    } catch (error) {
      db.close();
      throw error;
    }
  }

  /** What another process has written meanwhile. A log that did not grow stays the same list. Throws ERR_LEDGER_CORRUPT. */
  reload(): void {
    const before = new Map(this.#logs);
    guarded(() => {
      const version = this.#version();
      if (version === this.#loaded) return;
      this.#logs.clear();
      this.#load(this.author);
      this.#loaded = version;
    });
    for (const [author, log] of before) if (isSameLog(log, this.#logs.get(author))) this.#logs.set(author, log);
  }

  logs(): ReadonlyMap<string, AuthorLog> {
    return this.#logs;
  }

  sizeBytes(author: string): number {
    return (this.#logs.get(author) ?? []).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  }

  hashAt(author: string, epoch: EpochId, sequence: number): Uint8Array | undefined {
    const held = this.#find(author, epoch);
    return held && guarded(() => this.#batches.hashAt(held.row, sequence));
  }

  append(appends: readonly ReplicaAppend[], forks: readonly Fork[]): void {
    const { insertFork } = this.#statements;
    const stored = guarded(() =>
      this.#db.transaction(() => {
        for (const fork of forks) {
          const { kind, first, second } = fork;
          insertFork.run(forkName(fork), kind, SignedHead.encode(first), SignedHead.encode(second));
        }
        return appends.map((append) => this.#insert(append));
      })(),
    );
    // What is not on disk is not held.
    for (const epoch of stored) this.#hold(epoch);
  }

  empty(author: string, to: EpochEnd): boolean {
    const log = this.#logs.get(author) ?? [];
    const before = new Before(log, [to]);
    return log.some((held) => {
      const last = before.lastOf(held.head.epoch);
      return held.emptiedTo < last && this.#empty(held, last);
    });
  }

  batchAfter(author: string, { epoch, sequence }: EpochEnd): Batch | undefined {
    const held = this.#find(author, epoch);
    return held && guarded(() => this.#batches.after(held.row, held.head, sequence));
  }

  forks(): readonly Fork[] {
    return guarded(() =>
      this.#statements.forks.all().map(({ kind, first, second }) => ({
        kind,
        first: SignedHead.decode(first),
        second: SignedHead.decode(second),
      })),
    );
  }

  close(): void {
    this.#db.close();
  }

  #version(): number {
    return Number(this.#db.pragma('data_version', { simple: true }));
  }

  #find(author: string, epoch: EpochId): Stored | undefined {
    return this.#logs.get(author)?.find(({ head }) => isSameEpoch(head.epoch, epoch));
  }

  #load(author: string | undefined): void {
    const { epochs, epochsOf } = this.#statements;
    for (const row of author === undefined ? epochs.all() : epochsOf.all(Buffer.from(author, 'hex'))) {
      const previous = row.previous === null ? {} : { previous: PreviousLink.decode(row.previous) };
      const head = headOf(row);
      const { epoch, sizeBytes, emptiedTo } = row;
      this.#logOf(head).push({ row: epoch, head, sizeBytes, emptiedTo, ...previous });
    }
  }

  #logOf({ author }: SignedHead): Stored[] {
    const key = toHex(author);
    const log = this.#logs.get(key) ?? [];
    this.#logs.set(key, log);
    return log;
  }

  /** Another list each time: whoever looks at a log sees whether it grew. */
  #hold(epoch: Stored): void {
    const log = [...this.#logOf(epoch.head)];
    // What grows is mostly the newest.
    const at = log.findLastIndex(({ row }) => row === epoch.row);
    if (at < 0) log.push(epoch);
    else log[at] = epoch;
    this.#logs.set(toHex(epoch.head.author), log);
  }

  #insert({ entries, head, previous }: ReplicaAppend): Stored {
    const { insertEpoch, findEpoch, grow } = this.#statements;
    const { author, epoch, site } = head;
    const first = entries[0]?.sequence;
    if (first === 1) {
      const before = previous === undefined ? null : PreviousLink.encode(previous);
      insertEpoch.run(author, epoch.counter, epoch.random, site, before);
    }
    const row = findEpoch.get(author, epoch.counter, epoch.random);
    if (row === undefined || first !== row.last + 1) {
      throw new SparcError('ERR_LEDGER_ENTRY_MISSING', 'the entries before these are not here');
    }
    const sizeBytes = row.sizeBytes + this.#batches.insert(row.epoch, entries, head);
    grow.run(sizeBytes, row.epoch);
    const before = row.previous === null ? {} : { previous: PreviousLink.decode(row.previous) };
    return { row: row.epoch, head, sizeBytes, emptiedTo: row.emptiedTo, ...before };
  }

  /** The log stays the same list: it holds what it held. False where no row ends up to there. */
  #empty(held: Stored, to: number): boolean {
    const piece = guarded(() =>
      this.#db.transaction(() => {
        const done = this.#batches.empty(held.row, held.emptiedTo, to);
        if (done !== undefined) this.#statements.emptied.run(done.savedBytes, done.last, held.row);
        return done;
      })(),
    );
    if (piece === undefined) return false;
    held.emptiedTo = piece.last;
    held.sizeBytes -= piece.savedBytes;
    return true;
  }
}

interface FoundEpoch extends Pick<EpochRow, 'epoch' | 'previous' | 'sizeBytes' | 'emptiedTo'> {
  /** Sequence of its last entry. */
  readonly last: number;
}

function prepare(db: Database) {
  const last = '(SELECT max(last) FROM batch WHERE epoch = e.epoch)';
  const epochs = `
      SELECT e.epoch, e.author, e.counter, e.random, e.site, e.previous, e.size_bytes AS sizeBytes,
        e.emptied_to AS emptiedTo, b.last AS sequence, b.signature, substr(b.hashes, -${HASH_BYTES}) AS hash
      FROM epoch e JOIN batch b ON b.epoch = e.epoch AND b.last = ${last}`;
  return {
    epochs: db.prepare<[], EpochRow>(`${epochs} ORDER BY e.epoch`),
    epochsOf: db.prepare<[Uint8Array], EpochRow>(`${epochs} WHERE e.author = ? ORDER BY e.epoch`),
    findEpoch: db.prepare<[Uint8Array, number, Uint8Array], FoundEpoch>(`
      SELECT e.epoch, e.previous, e.size_bytes AS sizeBytes, e.emptied_to AS emptiedTo, coalesce(${last}, 0) AS last
      FROM epoch e WHERE e.author = ? AND e.counter = ? AND e.random = ?`),
    forks: db.prepare<[], { kind: Fork['kind']; first: Uint8Array; second: Uint8Array }>(
      'SELECT kind, first, second FROM fork',
    ),
    insertEpoch: db.prepare('INSERT INTO epoch (author, counter, random, site, previous) VALUES (?, ?, ?, ?, ?)'),
    grow: db.prepare<[number, number]>('UPDATE epoch SET size_bytes = ? WHERE epoch = ?'),
    emptied: db.prepare<[number, number, number]>(
      'UPDATE epoch SET size_bytes = size_bytes - ?, emptied_to = ? WHERE epoch = ?',
    ),
    insertFork: db.prepare('INSERT OR IGNORE INTO fork (name, kind, first, second) VALUES (?, ?, ?, ?)'),
  };
}

const schemaOf = (db: Database): number => Number(db.pragma('user_version', { simple: true }));

function migrate(db: Database): void {
  const version = schemaOf(db);
  if (version > MIGRATIONS.length) {
    throw new SparcError('ERR_LEDGER_CORRUPT', `the schema ${version} of the replicas is newer than this program`);
  }
  db.transaction(() => {
    for (const migration of MIGRATIONS.slice(version)) db.exec(migration);
    db.pragma(`user_version = ${MIGRATIONS.length}`);
  })();
}

const headOf = ({ site, author, counter, random, sequence, hash, signature }: EpochRow): SignedHead => ({
  site,
  author,
  epoch: { counter, random },
  sequence,
  hash,
  signature,
});

function isSameLog(before: readonly Stored[], now: readonly Stored[] | undefined): boolean {
  const isSame = ({ row, head }: Stored, at: number) =>
    row === now?.[at]?.row && head.sequence === now[at].head.sequence;
  return before.length === now?.length && before.every(isSame);
}

function guarded<T>(use: () => T): T {
  try {
    return use();
  } catch (error) {
    throw failure(error);
  }
}

function failure(error: unknown): SparcError {
  // A cell that cannot be read is damage; what is not stored is said by the store itself.
  if (isSparcError(error) && error.code !== 'ERR_LEDGER_MALFORMED') return error;
  const isDamage =
    isSparcError(error) || /^SQLITE_(CORRUPT|NOTADB|ERROR$)/.test(String((error as { code?: unknown }).code));
  const why = error instanceof Error ? error.message : String(error);
  return isDamage
    ? new SparcError('ERR_LEDGER_CORRUPT', `the replicas are damaged: ${why}`, {}, { cause: error })
    : new SparcError('ERR_LEDGER_WRITE_FAILED', `the replicas cannot be written: ${why}`, {}, { cause: error });
}
