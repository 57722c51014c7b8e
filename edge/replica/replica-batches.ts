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

/** The entries of replicas: written as they come, read in batches of a size that does not depend on how they came. */
export class ReplicaBatches {
  readonly #insert;
  readonly #rows;
  readonly #hash;

  constructor(db: Database) {
    this.#insert = db.prepare<[number, number, Uint8Array, Uint8Array, Uint8Array]>(
      'INSERT INTO batch (epoch, last, signature, hashes, contents) VALUES (?, ?, ?, ?, ?)',
    );
    this.#rows = db
      .prepare<[number, number], BatchRow>(
        'SELECT last, signature, contents FROM batch WHERE epoch = ? AND last > ? ORDER BY last',
      )
      .raw();
    // Of the row with the entry: counted from its end, where the last one is.
    this.#hash = db
      .prepare<[number, number, number], Uint8Array>(
        `SELECT substr(hashes, (? - last) * ${HASH_BYTES} - ${HASH_BYTES}, ${HASH_BYTES})
         FROM batch WHERE epoch = ? AND last >= ? ORDER BY last LIMIT 1`,
      )
      .pluck();
  }

  /** Bytes that were added. */
  insert(epochRow: number, entries: readonly ChainedEntry[], head: SignedHead): number {
    const hashes = Buffer.concat(entries.map(({ hash }) => hash));
    const contents = Contents.encode({ contents: entries.map(({ content }) => content) });
    this.#insert.run(epochRow, head.sequence, head.signature, hashes, contents);
    return hashes.length + contents.length;
  }

  hashAt(epochRow: number, sequence: number): Uint8Array | undefined {
    return this.#hash.get(sequence, epochRow, sequence);
  }

  /** The first entries behind `sequence` in an epoch, up to a head that the author signed. */
  after(epochRow: number, epochOf: SignedHead, sequence: number): Batch | undefined {
    const all: Uint8Array[] = [];
    let sizeBytes = 0;
    let signature: Uint8Array | undefined;
    for (const [last, signed, bytes] of this.#rows.iterate(epochRow, sequence)) {
      const missing = last - sequence - all.length;
      const more = Contents.decode(bytes).contents.slice(-missing);
      if (more.length !== missing) throw malformed(`${more.length} entries up to ${last} where ${missing} belong`);
      sizeBytes += more.reduce((sum, { length }) => sum + length, 0);
      if (signature !== undefined && (sizeBytes > BATCH_BYTES || all.length + more.length > BATCH_ENTRIES_MAX)) break;
      all.push(...more);
      signature = signed;
    }
    if (signature === undefined) return undefined;
    return batchBehind({ epochOf, sequence, hashAt: (at) => this.hashAt(epochRow, at) }, all, signature);
  }
}
