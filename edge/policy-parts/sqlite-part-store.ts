import { existsSync } from 'node:fs';
import { SparcError } from '@sparc/protocol/errors';
import type { Part, PartStore } from '@sparc/protocol/ports';
import { Database } from '../platform/sqlite.js';

/** In a data directory, and in the folder of a site authority. */
export const PARTS_FILE = 'parts.db';
const BUSY_TIMEOUT_MS = 5_000;

/** Parts in a SQLite file: write-ahead log, every put flushed (`synchronous = FULL`), one writer and any readers. */
export class SqlitePartStore implements PartStore {
  readonly #statements;

  private constructor(private readonly db: Database) {
    this.#statements = {
      has: db.prepare<[Uint8Array]>('SELECT 1 FROM part WHERE hash = ?').pluck(),
      get: db.prepare<[Uint8Array], Buffer>('SELECT content FROM part WHERE hash = ?').pluck(),
      put: db.prepare<[Uint8Array, Uint8Array]>('INSERT OR REPLACE INTO part (hash, content) VALUES (?, ?)'),
      names: db.prepare<[], Buffer>('SELECT hash FROM part').pluck(),
      drop: db.prepare<[Uint8Array]>('DELETE FROM part WHERE hash = ?'),
    };
  }

  /** Opens or creates. Throws ERR_POLICY_PARTS_FAILED. */
  static open(path: string): SqlitePartStore {
    return opened(path, {}, (db) => {
      // Counts only before anything is written, the mode of the journal too.
      db.pragma('auto_vacuum = INCREMENTAL');
      db.pragma('journal_mode = WAL');
      db.pragma('synchronous = FULL');
      db.exec('CREATE TABLE IF NOT EXISTS part (hash BLOB PRIMARY KEY, content BLOB NOT NULL) STRICT');
      return new SqlitePartStore(db);
    });
  }

  /** One that another process writes; undefined where that has not made it, or its table, yet. Throws ERR_POLICY_PARTS_FAILED. */
  static openReadOnly(path: string): SqlitePartStore | undefined {
    if (!existsSync(path)) return undefined;
    return opened(path, { readonly: true }, (db) => {
      if (db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'part'").get() !== undefined)
        return new SqlitePartStore(db);
      db.close();
      return undefined;
    });
  }

  has(hash: string): boolean {
    return guarded(() => this.#statements.has.get(bytesOf(hash)) !== undefined);
  }

  get(hash: string): Uint8Array | undefined {
    return guarded(() => this.#statements.get.get(bytesOf(hash)) ?? undefined);
  }

  put(parts: readonly Part[]): void {
    guarded(() =>
      this.db.transaction(() => {
        for (const { hash, content } of parts) this.#statements.put.run(bytesOf(hash), content);
      })(),
    );
  }

  drop(hash: string): void {
    guarded(() => this.#statements.drop.run(bytesOf(hash)));
  }

  keepOnly(hashes: ReadonlySet<string>): void {
    guarded(() => {
      this.db.transaction(() => {
        for (const hash of this.#statements.names.all()) {
          if (!hashes.has(hash.toString('hex'))) this.#statements.drop.run(hash);
        }
      })();
      this.db.pragma('incremental_vacuum');
    });
  }

  close(): void {
    this.db.close();
  }
}

const bytesOf = (hash: string): Uint8Array => Buffer.from(hash, 'hex');

function opened<T>(path: string, options: { readonly readonly?: true }, make: (db: Database) => T): T {
  let db: Database | undefined;
  try {
    return guarded(() => make((db = new Database(path, { ...options, timeout: BUSY_TIMEOUT_MS }))));
  } catch (error) {
    db?.close();
    throw error;
  }
}

function guarded<T>(use: () => T): T {
  try {
    return use();
  } catch (cause) {
    throw new SparcError('ERR_POLICY_PARTS_FAILED', (cause as Error).message, {}, { cause });
  }
}
