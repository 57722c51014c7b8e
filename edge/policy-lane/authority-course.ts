import { isSparcError, type SparcError } from '@sparc/protocol/errors';
import { EntryContent, verifyBatch } from '@sparc/protocol/ledger';
import { EMPTY_COURSE, learn, type PolicyCourse } from '@sparc/protocol/policy-revision';
import { endsOf } from '@sparc/protocol/replication';
import type { EpochEnd } from '@sparc/protocol/replication';
import { nodeCrypto } from '../ledger/index.js';
import { batchesAfter, SqliteReplicaStore } from '../replica/index.js';

/**
 * What the authority of a site says of its policy, read from the replicas that the site process fills. That process is
 * not believed: every batch is verified here again.
 */
export class AuthorityCourse {
  readonly #author: string;
  #ends: readonly EpochEnd[] = [];
  #course = EMPTY_COURSE;

  constructor(
    /** Ed25519 public key, 32 bytes. */
    authority: Uint8Array,
    /** Heard of an entry that says nothing that can be read; it changes nothing. */
    private readonly onRefused: (error: SparcError) => void,
  ) {
    this.#author = Buffer.from(authority).toString('hex');
  }

  get course(): PolicyCourse {
    return this.#course;
  }

  /** Reads on in a file of replicas. Throws as the store does, and as `verifyBatch`: then nothing behind it counts. */
  read(path: string): void {
    const store = SqliteReplicaStore.openReadOnly(path);
    try {
      for (const batch of batchesAfter(store, this.#author, this.#ends)) {
        for (const { content } of verifyBatch(nodeCrypto, batch).entries) this.#take(content);
      }
      this.#ends = endsOf(store.logs().get(this.#author) ?? []);
    } finally {
      store.close();
    }
  }

  #take(content: Uint8Array): void {
    try {
      this.#course = learn(this.#course, EntryContent.decode(content));
    } catch (error) {
      if (!isSparcError(error)) throw error;
      this.onRefused(error);
    }
  }
}
