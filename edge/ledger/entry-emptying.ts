import type Database from 'better-sqlite3';
import {
  comparePositions,
  emptied,
  hashEntry,
  NO_HASH,
  positionOf,
  sameBytes,
  type ChainedEntry,
  type Position,
  type SignedHead,
} from '@sparc/protocol/ledger';
import { BATCH_BYTES } from './log-batches.js';
import { corrupt, type LogTables } from './log-tables.js';
import { nodeCrypto } from './node-crypto.js';

/** Emptied in one transaction. A commit that is larger goes alone. */
export const PIECE_ENTRIES = 64;

/** Drops the bodies of passing entries out of a journal, from its start on; how far that came is kept beside them. */
export class EntryEmptying {
  readonly #statements;

  constructor(
    database: Database.Database,
    private readonly tables: LogTables,
  ) {
    this.#statements = {
      reached: database.prepare<[], Position>('SELECT epoch, sequence FROM emptied_to'),
      reach: database.prepare('INSERT OR REPLACE INTO emptied_to (only, epoch, sequence) VALUES (0, ?, ?)'),
      // Written anew and not altered, which would leave every page half empty.
      drop: database.prepare('DELETE FROM entry WHERE epoch = ? AND sequence > ? AND sequence <= ?'),
      insert: database.prepare('INSERT INTO entry (epoch, sequence, hash, content) VALUES (?, ?, ?, ?)'),
      dropHeads: database.prepare('DELETE FROM head WHERE epoch = ? AND sequence > ? AND sequence < ?'),
    };
  }

  /**
   * The next entries, of one epoch and none behind `to`, inside of a transaction; false where there are none. Of their signed heads the last one stays,
   * so that whatever stands among them finds a batch that goes on. Throws ERR_LEDGER_CORRUPT where an entry is not what its author wrote:
   * it stays as evidence, and so do all behind it.
   */
  step(to: Position): boolean {
    const { reached, reach, drop, insert, dropHeads } = this.#statements;
    const after = reached.get() ?? { epoch: 0, sequence: 0 };
    const head = this.#nextHead(after, to);
    if (head === undefined) return false;
    const { epoch, sequence: end } = positionOf(head);
    const start = after.epoch === epoch ? after.sequence : 0;
    const entries = this.tables.entries({ epoch, sequence: start }, end - start);
    // What opens an epoch has one before it elsewhere; it does not pass, and is not hashed here.
    const [before] = start === 0 ? [] : this.tables.entries({ epoch, sequence: start - 1 }, 1);
    drop.run(epoch, start, end);
    let leftBytes = 0;
    let previousHash = before?.hash ?? NO_HASH;
    for (const entry of entries) {
      const left = leftOf(entry, head, previousHash);
      insert.run(epoch, entry.sequence, entry.hash, left);
      leftBytes += left.length;
      previousHash = entry.hash;
    }
    // What lasts may be long: a batch of all of it would be too large to be sent.
    if (leftBytes <= BATCH_BYTES) dropHeads.run(epoch, start, end);
    reach.run(epoch, end);
    return true;
  }

  /** The head at which the next piece ends. */
  #nextHead(after: Position, to: Position): SignedHead | undefined {
    const heads = this.tables.heads(after, PIECE_ENTRIES).map(({ head }) => head);
    const epoch = heads[0]?.epoch.counter ?? 0;
    const last = (after.epoch === epoch ? after.sequence : 0) + PIECE_ENTRIES;
    const ends = heads.filter((head) => head.epoch.counter === epoch && comparePositions(positionOf(head), to) <= 0);
    return ends.findLast(({ sequence }) => sequence <= last) ?? ends[0];
  }
}

/** The content of one that lasts is left as it is. */
function leftOf(entry: ChainedEntry, { author }: SignedHead, previousHash: Uint8Array): Uint8Array {
  const { epoch, sequence, hash, content } = entry;
  const left = emptied(nodeCrypto, content);
  if (left === undefined) return content;
  if (sameBytes(hashEntry(nodeCrypto, { author, epoch, sequence, previousHash }, left), hash)) return left;
  throw corrupt(`entry ${epoch.counter}/${sequence} was altered`);
}
