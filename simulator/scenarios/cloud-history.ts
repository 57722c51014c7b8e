import type { StoredHead } from '@sparc/protocol/cloud-link';

/** A head of which the cloud signed that it is on its disk. */
export interface SaidHead {
  readonly head: StoredHead;
  /** Of the entry there that was on the disk at that moment; undefined: none. */
  readonly storedHash: Uint8Array | undefined;
}

/** What a gateway that runs at the end knows of the cloud. */
export interface CloudKnowledge {
  readonly machine: string;
  readonly heads: readonly StoredHead[];
  /** Of messages that it did not take for the cloud's. */
  readonly refusedCount: number;
}

/** What a cloud said, and what gateways made of it. */
export interface CloudHistory {
  readonly said: SaidHead[];
  known: readonly CloudKnowledge[];
}
