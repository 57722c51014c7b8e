import type Database from 'better-sqlite3';
import { BATCH_ENTRIES_MAX, type Batch, type SignedHead } from '@sparc/protocol/ledger';
import { batchBehind } from './batch-behind.js';

/** Of one batch on the wire; a commit that is larger goes alone. */
export const BATCH_BYTES = 262_144;

/** Read at a time: at once is faster than one by one, and so many of the longest are 16 MiB. */
const PAGE_ROWS = 256;

/** Content, and the signature of the head that ends here, if one does. */
type EntryRow = readonly [content: Uint8Array, signature: Uint8Array | null];

/** Cuts batches from the tables `entry` and `head` of a journal. */
export class LogBatches {
  readonly #entries;
  readonly #hash;

  constructor(db: Database.Database) {
    this.#entries = db
      .prepare<[number, number, number], EntryRow>(
        `SELECT n.content, h.signature
         FROM entry n LEFT JOIN head h ON h.epoch = n.epoch AND h.sequence = n.sequence
         WHERE n.epoch = ? AND n.sequence > ? ORDER BY n.sequence LIMIT ?`,
      )
      .raw();
    this.#hash = db
      .prepare<[number, number], Uint8Array>('SELECT hash FROM entry WHERE epoch = ? AND sequence = ?')
      .pluck();
  }

  hashAt(counter: number, sequence: number): Uint8Array | undefined {
    return this.#hash.get(counter, sequence);
  }

  /** The first entries behind `sequence` in an epoch, up to a head that the author signed. */
  after(counter: number, epochOf: SignedHead, sequence: number): Batch | undefined {
    const contents: Uint8Array[] = [];
    let sizeBytes = 0;
    let end: { readonly count: number; readonly signature: Uint8Array } | undefined;
    for (const [content, signature] of this.#rows(counter, sequence)) {
      sizeBytes += content.length;
      if (sizeBytes > BATCH_BYTES && end !== undefined) break;
      contents.push(content);
      if (signature !== null) end = { count: contents.length, signature };
    }
    if (end === undefined) return undefined;
    return batchBehind(
      { epochOf, sequence, hashAt: (at) => this.hashAt(counter, at) },
      contents.slice(0, end.count),
      end.signature,
    );
  }

  *#rows(counter: number, sequence: number): Iterable<EntryRow> {
    for (let count = 0, after = sequence; count < BATCH_ENTRIES_MAX; count += PAGE_ROWS, after += PAGE_ROWS) {
      const page = this.#entries.all(counter, after, PAGE_ROWS);
      yield* page;
      if (page.length < PAGE_ROWS) return;
    }
  }
}
