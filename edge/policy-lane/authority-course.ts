import { BEACON_KIND, EMPTY_COURSE, learn, POLICY_KIND, type PolicyCourse } from '@sparc/protocol/policy-revision';
import { toHex } from '../platform/index.js';
import { AuthorityReader, SqliteReplicaStore, verified, type RefusedEntry } from '../replica/index.js';

/**
 * What the authority of a site says of its policy, read from the replicas that the site process fills. That process is
 * not believed: every batch is verified here again.
 */
export class AuthorityCourse {
  readonly #author: string;
  readonly #reader: AuthorityReader;
  #store: SqliteReplicaStore | undefined;
  #course = EMPTY_COURSE;

  constructor(
    /** Ed25519 public key, 32 bytes. */
    authority: Uint8Array,
    /** Heard of an entry that says nothing that can be read; it changes nothing. */
    onRefused: (entry: RefusedEntry) => void,
  ) {
    this.#author = toHex(authority);
    const logs = verified({
      logs: () => this.#store?.logs() ?? new Map(),
      batchAfter: (author, after) => this.#store?.batchAfter(author, after),
    });
    const handlers = [POLICY_KIND, BEACON_KIND].map((kind) => ({
      kind,
      take: (entry: Parameters<typeof learn>[1]) => void (this.#course = learn(this.#course, entry)),
    }));
    this.#reader = new AuthorityReader(logs, this.#author, handlers, onRefused);
  }

  get course(): PolicyCourse {
    return this.#course;
  }

  /** Reads on in a file of replicas. Throws as the store does, and as `verifyBatch`: then nothing behind it counts. */
  read(path: string): void {
    const store = (this.#store = SqliteReplicaStore.openReadOnly(path, this.#author));
    try {
      this.#reader.read();
    } finally {
      this.#store = undefined;
      store.close();
    }
  }
}
