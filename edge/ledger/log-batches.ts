import type Database from 'better-sqlite3';
import { BATCH_ENTRIES_MAX, batchOf, type Batch, type ChainedEntry, type SignedHead } from '@sparc/protocol/ledger';

/** Of one batch on the wire; a commit that is larger goes alone. */
export const BATCH_BYTES = 262_144;

interface EntryRow {
  readonly sequence: number;
  readonly hash: Uint8Array;
  readonly content: Uint8Array;
  /** Of the head that ends here, if one does. */
  readonly signature: Uint8Array | null;
}

/** Cuts batches from the tables `entry` and `head`, which a journal and a file of replicas have alike. */
export class LogBatches {
  readonly #entries;
  readonly #hash;

  constructor(db: Database.Database) {
    this.#entries = db.prepare<[number, number, number], EntryRow>(`
      SELECT n.sequence, n.hash, n.content, h.signature
      FROM entry n LEFT JOIN head h ON h.epoch = n.epoch AND h.sequence = n.sequence
      WHERE n.epoch = ? AND n.sequence > ? ORDER BY n.sequence LIMIT ?`);
    this.#hash = db
      .prepare<[number, number], Uint8Array>('SELECT hash FROM entry WHERE epoch = ? AND sequence = ?')
      .pluck();
  }

  hashAt(epochRow: number, sequence: number): Uint8Array | undefined {
    return this.#hash.get(epochRow, sequence);
  }

  /** The first entries behind `sequence` in the epoch of `head`, up to a head that the author signed. */
  after(epochRow: number, head: SignedHead, sequence: number): Batch | undefined {
    const rows: EntryRow[] = [];
    let sizeBytes = 0;
    let last = -1;
    for (const row of this.#entries.iterate(epochRow, sequence, BATCH_ENTRIES_MAX)) {
      sizeBytes += row.content.length;
      if (sizeBytes > BATCH_BYTES && last >= 0) break;
      rows.push(row);
      if (row.signature !== null) last = rows.length - 1;
    }
    const end = rows[last];
    if (end === undefined || end.signature === null) return undefined;
    const { epoch } = head;
    const entries: ChainedEntry[] = rows
      .slice(0, last + 1)
      .map((row) => ({ epoch, sequence: row.sequence, hash: row.hash, content: row.content }));
    const hash = sequence === 0 ? undefined : this.hashAt(epochRow, sequence);
    const before = hash === undefined ? undefined : { epoch, sequence, hash };
    return batchOf(entries, before, { ...head, sequence: end.sequence, hash: end.hash, signature: end.signature });
  }
}
