import type { ReplicaStore } from '@sparc/protocol/ports';

/** Of all authors together. */
export const REPLICA_BYTES_MAX = 17_179_869_184;
/** One author may have this part of what all may: 4 GiB, some fifteen million events, where the disk has room for as much. */
export const AUTHOR_SHARE = 1 / 4;
/** Replicas leave so much of the disk to the own journal. */
export const DISK_FREE_BYTES_MIN = 1_073_741_824;
/** Of one author; each is held in memory. A gateway that starts once an hour has as many after two years. */
export const EPOCHS_MAX = 16_384;

/**
 * Why no more is taken: the author has as much or as many epochs as it may, all have, the disk is nearly full, or what came
 * last could not be written.
 */
export const FULL_REASONS = ['author', 'epochs', 'all', 'disk', 'write'] as const;
export type FullReason = (typeof FULL_REASONS)[number];

/**
 * Room for replicas. At a limit nothing more is taken; nothing is dropped, because this may be the only copy. The log of
 * the site authority says who belongs to the site and what is in force: it is short, and no limit stands in its way.
 */
export class ReplicaRoom {
  constructor(
    private readonly store: Pick<ReplicaStore, 'logs' | 'sizeBytes'>,
    /** In hex. */
    private readonly authority: string,
    /** Of the disk that the replicas are on. */
    private readonly freeBytes: () => number,
  ) {}

  /** Why nothing more of an author is taken; undefined while there is room. */
  fullFor(author: string): FullReason | undefined {
    if (author === this.authority) return undefined;
    const { store } = this;
    const freeBytes = this.freeBytes() - DISK_FREE_BYTES_MIN;
    if (freeBytes <= 0) return 'disk';
    const heldBytes = [...store.logs().keys()].reduce((sum, each) => sum + store.sizeBytes(each), 0);
    if (heldBytes >= REPLICA_BYTES_MAX) return 'all';
    // Of what is there: otherwise one author alone fills a small disk, and ends the exchange for all.
    const roomBytes = Math.min(REPLICA_BYTES_MAX, heldBytes + freeBytes);
    if (store.sizeBytes(author) >= roomBytes * AUTHOR_SHARE) return 'author';
    return (store.logs().get(author)?.length ?? 0) >= EPOCHS_MAX ? 'epochs' : undefined;
  }
}
