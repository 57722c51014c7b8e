import {
  assumedLast,
  BATCH_ENTRIES_MAX,
  batchOf,
  emptied,
  pureCrypto,
  type Batch,
  type ChainedEntry,
  type EpochId,
  type SignedHead,
} from '@sparc/protocol/ledger';
import type { LogCommit, ReplicaAppend } from '@sparc/protocol/ports';
import { Before, isSameEpoch, type AuthorLog, type EpochEnd, type HeldEpoch } from '@sparc/protocol/replication';

/** As large as batches are cut from a disk. */
const BATCH_BYTES = 262_144;

interface Epoch {
  held: HeldEpoch;
  readonly entries: ChainedEntry[];
  /** One for each commit, the newest last. */
  readonly heads: SignedHead[];
  /** Sequence; 0: nothing was. */
  emptiedTo: number;
}

/** A commit as an append: where it opens an epoch, its first entry names the one before. */
export function appendOf({ entries, head }: LogCommit): ReplicaAppend {
  const previous = entries[0]?.sequence === 1 ? assumedLast(batchOf(entries, undefined, head)) : undefined;
  return { entries, head, ...(previous !== undefined && { previous }) };
}

/** What is left of an entry. */
export function emptiedEntry<Entry extends Pick<ChainedEntry, 'content'>>(entry: Entry): Entry {
  const content = emptied(pureCrypto, entry.content);
  return content === undefined ? entry : { ...entry, content };
}

/** The log of one author in memory. */
export class SimulatedLog {
  #epochs: readonly Epoch[] = [];
  #log: AuthorLog = [];
  #sizeBytes = 0;

  get log(): AuthorLog {
    return this.#log;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  add({ entries, head, previous }: ReplicaAppend): void {
    const before = this.#find(head.epoch);
    const first = before?.held.previous ?? previous;
    const held = { head, ...(first !== undefined && { previous: first }) };
    const epoch = before ?? { held, entries: [], heads: [], emptiedTo: 0 };
    epoch.held = held;
    epoch.entries.push(...entries);
    epoch.heads.push(head);
    this.#epochs = [...this.#epochs.filter((other) => other !== before), epoch];
    this.#sizeBytes += entries.reduce((sum, { content, hash }) => sum + content.length + hash.length, 0);
    this.#log = this.#epochs.map((each) => each.held);
  }

  isEmptied(to: EpochEnd): boolean {
    const before = new Before(this.#log, [to]);
    return this.#epochs.every(({ held, emptiedTo }) => emptiedTo >= before.lastOf(held.head.epoch));
  }

  /** All at once; a head over every entry that had one stays. */
  empty(to: EpochEnd): void {
    const before = new Before(this.#log, [to]);
    for (const epoch of this.#epochs) {
      const last = before.lastOf(epoch.held.head.epoch);
      for (const [index, entry] of epoch.entries.slice(0, last).entries()) {
        const left = emptiedEntry(entry);
        this.#sizeBytes -= entry.content.length - left.content.length;
        epoch.entries[index] = left;
      }
      epoch.emptiedTo = Math.max(epoch.emptiedTo, last);
    }
  }

  hashAt(epoch: EpochId, sequence: number): Uint8Array | undefined {
    return this.#find(epoch)?.entries[sequence - 1]?.hash;
  }

  batchAfter({ epoch, sequence }: EpochEnd): Batch | undefined {
    const { entries = [], heads = [] } = this.#find(epoch) ?? {};
    let head: SignedHead | undefined;
    let sizeBytes = 0;
    // Most of what is asked for is near the end.
    const behind = heads.findLastIndex((each) => each.sequence <= sequence);
    for (const next of heads.slice(behind + 1)) {
      if (next.sequence > sequence + BATCH_ENTRIES_MAX || sizeBytes >= BATCH_BYTES) break;
      const added = entries.slice(head?.sequence ?? sequence, next.sequence);
      sizeBytes += added.reduce((sum, { content }) => sum + content.length, 0);
      head = next;
    }
    return head && batchOf(entries.slice(sequence, head.sequence), entries[sequence - 1], head);
  }

  #find(epoch: EpochId): Epoch | undefined {
    return this.#epochs.find(({ held }) => isSameEpoch(held.head.epoch, epoch));
  }
}
