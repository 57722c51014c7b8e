import type { ReplicaAppend } from '@sparc/protocol/ports';
import type { EpochEnd, Fork } from '@sparc/protocol/replication';

/** One transaction. */
export interface ReplicaWrite {
  readonly appends: readonly ReplicaAppend[];
  readonly forks: readonly Fork[];
  /** Up to where a log was emptied. */
  readonly emptied?: { readonly author: string; readonly to: EpochEnd };
}

/** Of what it said was on the platter, a disk that lies loses so much when the power goes. */
const LIE_WRITES = 40;

/** The platter under the replicas of one machine. */
export class ReplicaDisk {
  /** Says that it flushed and did not: the seeded defect that a checker must catch. */
  lies = false;
  /** It is full, or its cable is loose. */
  refuses = false;
  #writes: ReplicaWrite[] = [];

  /** What is on it, in order. */
  get writes(): readonly ReplicaWrite[] {
    return this.#writes;
  }

  write(write: ReplicaWrite): void {
    this.#writes.push(write);
  }

  /** The machine dies. */
  crash(): void {
    if (this.lies) this.#writes.splice(-LIE_WRITES);
  }

  /** A backup is copied onto it, or the image of another. */
  restore(writes: readonly ReplicaWrite[]): void {
    this.#writes = [...writes];
  }
}
