import {
  BATCH_ENTRIES_MAX,
  emptied,
  HASH_BYTES,
  malformed,
  type Batch,
  type ChainedEntry,
  type SignedHead,
} from '@sparc/protocol/ledger';
import { BATCH_BYTES, batchBehind, nodeCrypto } from '../ledger/index.js';
import type { Database } from '../platform/sqlite.js';
import { Contents } from './replica-tables.js';

/** Sequence of the last entry, signature, contents. */
type BatchRow = readonly [last: number, signature: Uint8Array, contents: Uint8Array];
type WholeRow = readonly [...BatchRow, hashes: Uint8Array];

/** Entries that are emptied in one transaction, and rows of so many are left; what came in one row is not divided. */
export const EMPTIED_ENTRIES_MAX = 256;

/** Rows behind each other. */
interface Piece {
  /** Sequence of the last entry. */
  readonly last: number;
  readonly signature: Uint8Array;
  readonly hashes: readonly Uint8Array[];
  readonly contents: readonly Uint8Array[];
  /** Of hashes and contents. */
  readonly sizeBytes: number;
}

/** The entries of replicas: written as they come, read in batches of a size that does not depend on how they came. */
export class ReplicaBatches {
  readonly #insert;
  readonly #rows;
  readonly #hash;
  readonly #wholeRows;
  readonly #delete;

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
    this.#wholeRows = db
      .prepare<[number, number, number], WholeRow>(
        `SELECT last, signature, contents, hashes FROM batch WHERE epoch = ? AND last > ? AND last <= ? ORDER BY last`,
      )
      .raw();
    this.#delete = db.prepare<[number, number, number]>('DELETE FROM batch WHERE epoch = ? AND last > ? AND last <= ?');
  }

  /** Bytes that were added. */
  insert(epochRow: number, entries: readonly ChainedEntry[], { sequence, signature }: SignedHead): number {
    const contents = entries.map(({ content }) => content);
    const hashes = entries.map(({ hash }) => hash);
    return this.#insertRow(epochRow, { last: sequence, signature, hashes, contents });
  }

  /**
   * Makes one row of the first ones behind `after`, without the bodies of entries that pass: where it ends, and bytes that it
   * takes less. Undefined where no row ends behind `after` and not behind `to`. Throws ERR_LEDGER_MALFORMED where one is damaged.
   */
  empty(
    epochRow: number,
    after: number,
    to: number,
  ): { readonly last: number; readonly savedBytes: number } | undefined {
    const piece = this.#piece(epochRow, after, to);
    if (piece === undefined) return undefined;
    this.#delete.run(epochRow, after, piece.last);
    const contents = piece.contents.map((content) => emptied(nodeCrypto, content) ?? content);
    return { last: piece.last, savedBytes: piece.sizeBytes - this.#insertRow(epochRow, { ...piece, contents }) };
  }

  #piece(epochRow: number, after: number, to: number): Piece | undefined {
    let piece: Piece | undefined;
    for (const [last, signature, bytes, hash] of this.#wholeRows.iterate(epochRow, after, to)) {
      const { hashes = [], contents = [], sizeBytes = 0 } = piece ?? {};
      const more = Contents.decode(bytes).contents;
      const missing = last - after - contents.length;
      if (more.length !== missing) throw malformed(`${more.length} entries up to ${last} where ${missing} belong`);
      const all = [...contents, ...more];
      const allBytes = sizeBytes + bytes.length + hash.length;
      if (piece !== undefined && (all.length > EMPTIED_ENTRIES_MAX || allBytes > BATCH_BYTES)) break;
      piece = { last, signature, hashes: [...hashes, hash], contents: all, sizeBytes: allBytes };
    }
    return piece;
  }

  #insertRow(epochRow: number, row: Omit<Piece, 'sizeBytes'>): number {
    const hashes = Buffer.concat(row.hashes);
    const contents = Contents.encode({ contents: row.contents });
    this.#insert.run(epochRow, row.last, row.signature, hashes, contents);
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
