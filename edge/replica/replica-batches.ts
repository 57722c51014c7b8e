import {
  BATCH_ENTRIES_MAX,
  HASH_BYTES,
  malformed,
  type Batch,
  type ChainedEntry,
  type SignedHead,
} from '@sparc/protocol/ledger';
import { BATCH_BYTES, batchBehind } from '../ledger/index.js';
import type { Database } from '../platform/sqlite.js';
import { Contents } from './replica-tables.js';

/** Sequence of the last entry, signature, contents. */
type BatchRow = readonly [last: number, signature: Uint8Array, contents: Uint8Array];

interface FirstRow {
  readonly last: number;
  readonly sizeBytes: number;
}

/** The entries of replicas: written as they come, read in batches of a size that does not depend on how they came. */
export class ReplicaBatches {
  readonly #insert;
  readonly #rows;
  readonly #hash;
  readonly #first;
  readonly #delete;

  constructor(db: Database) {
    this.#insert = db.prepare<[number, number, Uint8Array, Uint8Array, Uint8Array]>(
      'INSERT INTO batch (epoch, last, signature, hashes, contents) VALUES (?, ?, ?, ?, ?)',
    );
    this.#rows = db
      .prepare<[number, number, number], BatchRow>(
        'SELECT last, signature, contents FROM batch WHERE epoch = ? AND last > ? AND last <= ? ORDER BY last',
      )
      .raw();
    // Of the row with the entry: counted from its end, where the last one is.
    this.#hash = db
      .prepare<[number, number, number], Uint8Array>(
        `SELECT substr(hashes, (? - last) * ${HASH_BYTES} - ${HASH_BYTES}, ${HASH_BYTES})
         FROM batch WHERE epoch = ? AND last >= ? ORDER BY last LIMIT 1`,
      )
      .pluck();
    this.#first = db.prepare<[number], FirstRow>(
      `SELECT last, length(hashes) + length(contents) AS sizeBytes FROM batch WHERE epoch = ? ORDER BY last LIMIT 1`,
    );
    this.#delete = db.prepare<[number, number]>('DELETE FROM batch WHERE epoch = ? AND last > ?');
  }

  /** Bytes that were added. */
  insert(epochRow: number, entries: readonly ChainedEntry[], head: SignedHead): number {
    const hashes = Buffer.concat(entries.map(({ hash }) => hash));
    const contents = Contents.encode({ contents: entries.map(({ content }) => content) });
    this.#insert.run(epochRow, head.sequence, head.signature, hashes, contents);
    return hashes.length + contents.length;
  }

  /** In place of entries that are not here: the last of them, and who signed it. Bytes that were added. */
  insertEnd(epochRow: number, { sequence, signature, hash }: SignedHead): number {
    this.#insert.run(epochRow, sequence, signature, hash, Contents.encode({ contents: [] }));
    return hash.length;
  }

  /** Nothing behind an entry is left. */
  dropBehind(epochRow: number, sequence: number): void {
    this.#delete.run(epochRow, sequence);
  }

  /** What came first of an epoch. */
  first(epochRow: number): FirstRow | undefined {
    return this.#first.get(epochRow);
  }

  hashAt(epochRow: number, sequence: number): Uint8Array | undefined {
    return this.#hash.get(sequence, epochRow, sequence);
  }

  /**
   * The first entries behind `sequence` in an epoch, up to a head that the author signed; what came first goes alone. `end`: the last
   * that is here.
   */
  after(epochRow: number, epochOf: SignedHead, sequence: number, end: number): Batch | undefined {
    const all: Uint8Array[] = [];
    let sizeBytes = 0;
    let signature: Uint8Array | undefined;
    for (const [last, signed, bytes] of this.#rows.iterate(epochRow, sequence, end)) {
      const missing = last - sequence - all.length;
      const more = Contents.decode(bytes).contents.slice(-missing);
      if (more.length !== missing) throw malformed(`${more.length} entries up to ${last} where ${missing} belong`);
      sizeBytes += more.reduce((sum, { length }) => sum + length, 0);
      if (signature !== undefined && (sizeBytes > BATCH_BYTES || all.length + more.length > BATCH_ENTRIES_MAX)) break;
      all.push(...more);
      signature = signed;
      if (sequence === 0) break;
    }
    if (signature === undefined) return undefined;
    return batchBehind({ epochOf, sequence, hashAt: (at) => this.hashAt(epochRow, at) }, all, signature);
  }
}
