import {
  assumedLast,
  BATCH_ENTRIES_MAX,
  batchOf,
  type Batch,
  type ChainedEntry,
  type EpochId,
  type SignedHead,
} from '@sparc/protocol/ledger';
import type { LogCommit, ReplicaAppend } from '@sparc/protocol/ports';
import { heldWith, isSameEpoch, type AuthorLog, type EpochEnd, type HeldEpoch } from '@sparc/protocol/replication';

/** As large as batches are cut from a disk. */
const BATCH_BYTES = 262_144;

interface Epoch {
  held: HeldEpoch;
  readonly entries: ChainedEntry[];
  /** One for each commit, the newest last. */
  readonly heads: SignedHead[];
}

/** A commit as an append: where it opens an epoch, its first entry names the one before. */
export function appendOf({ entries, head }: LogCommit): ReplicaAppend {
  const previous = entries[0]?.sequence === 1 ? assumedLast(batchOf(entries, undefined, head)) : undefined;
  return { entries, head, ...(previous !== undefined && { previous }) };
}

const sizeOf = (entries: readonly ChainedEntry[]): number =>
  entries.reduce((sum, { content, hash }) => sum + content.length + hash.length, 0);

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

  add(append: ReplicaAppend): void {
    const { entries, head, isEnd } = append;
    const before = this.#find(head.epoch);
    const held = heldWith(before?.held, append);
    const epoch = before ?? { held, entries: [], heads: [] };
    epoch.held = held;
    epoch.entries.push(...entries);
    if (isEnd !== true) epoch.heads.push(head);
    this.#epochs = [...this.#epochs.filter((other) => other !== before), epoch];
    this.#sizeBytes += sizeOf(entries);
    this.#log = this.#epochs.map((each) => each.held);
  }

  /** Of an epoch stay what was signed first, and its head. */
  empty(of: EpochId): void {
    const epoch = this.#find(of);
    const [first] = epoch?.heads ?? [];
    if (epoch === undefined || first === undefined || first.sequence === epoch.held.head.sequence) return;
    epoch.heads.length = 1;
    this.#sizeBytes -= sizeOf(epoch.entries.splice(first.sequence));
    epoch.held = { ...epoch.held, gap: { after: first.sequence, isSeen: true } };
    this.#log = this.#epochs.map((each) => each.held);
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
      if (sequence === 0) break;
    }
    return head && batchOf(entries.slice(sequence, head.sequence), entries[sequence - 1], head);
  }

  #find(epoch: EpochId): Epoch | undefined {
    return this.#epochs.find(({ held }) => isSameEpoch(held.head.epoch, epoch));
  }
}
