import { malformed, type Batch, type LedgerCrypto, type SignedHead } from '@sparc/protocol/ledger';
import type { ReplicaAppend, ReplicaStore } from '@sparc/protocol/ports';
import { accept, attestedPart, grown, holds, isOfSite, type AuthorLog, type Fork } from '@sparc/protocol/replication';
import { toHex } from '../platform/index.js';
import { EPOCHS_MAX } from './replica-room.js';

export interface IntakeDeps {
  readonly crypto: LedgerCrypto;
  readonly store: ReplicaStore;
  readonly siteId: string;
  /** The key of the site authority, in hex. */
  readonly authority: string;
  /** Of an author who was expelled: the heads to which all leads that still counts of its log. One list until another counts. */
  attestedHeads(author: string): readonly SignedHead[] | undefined;
}

/**
 * Entries of one author on their way to the disk: verified one batch after the other, and stored together, because it is the
 * flushing of each transaction that takes time.
 */
export class Intake {
  readonly #before: AuthorLog | undefined;
  readonly #attested: readonly SignedHead[] | undefined;
  /** As it will be held. */
  #log: AuthorLog;
  readonly #appends: ReplicaAppend[] = [];
  readonly #forks: Fork[] = [];
  #sizeBytes = 0;

  constructor(
    private readonly deps: IntakeDeps,
    /** In hex. */
    readonly author: string,
  ) {
    this.#before = this.#held;
    this.#attested = deps.attestedHeads(author);
    this.#log = this.#before ?? [];
  }

  get appends(): readonly ReplicaAppend[] {
    return this.#appends;
  }

  get forks(): readonly Fork[] {
    return this.#forks;
  }

  /** Of contents. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Somebody else brought something meanwhile, or the author was expelled: what is here may be held, or count no more. */
  get isOutrun(): boolean {
    return this.#before !== this.#held || this.#attested !== this.deps.attestedHeads(this.author);
  }

  /** False where nothing of it is new, or counts. Throws as `accept` does. */
  add(batch: Batch): boolean {
    const { crypto, store, siteId } = this.deps;
    if (!isOfSite(batch.site, siteId)) throw malformed(`a batch of site ${batch.site}`);
    if (toHex(batch.author) !== this.author) throw malformed('a batch of another author');
    if (!this.#mayTake(batch)) return false;
    const acceptance = accept(
      crypto,
      this.#log,
      (epoch, sequence) => store.hashAt(this.author, epoch, sequence),
      batch,
    );
    if (acceptance.kind === 'known') return false;
    if (acceptance.kind === 'forked') {
      this.#forks.push(acceptance.fork);
      return false;
    }
    const append = this.#counted(acceptance);
    if (append === undefined) return false;
    if (acceptance.fork !== undefined) this.#forks.push(acceptance.fork);
    this.#appends.push(append);
    this.#log = grown(this.#log, append);
    this.#sizeBytes += append.entries.reduce((sum, { content }) => sum + content.length, 0);
    return true;
  }

  /** There may be as many epochs as there may be, and the newest still grows. */
  #mayTake({ epoch }: Batch): boolean {
    const isMany = this.author !== this.deps.authority && this.#log.length >= EPOCHS_MAX;
    return !isMany || holds(this.#log, { epoch, sequence: 1 });
  }

  get #held(): AuthorLog | undefined {
    return this.deps.store.logs().get(this.author);
  }

  #counted(append: ReplicaAppend): ReplicaAppend | undefined {
    if (this.#attested === undefined) return append;
    const part = attestedPart(this.#log, this.#attested, append.entries, append.head);
    return part && { ...append, ...part };
  }
}
