import { malformed, type Batch, type LedgerCrypto, type SignedHead } from '@sparc/protocol/ledger';
import type { ReplicaAppend, ReplicaStore } from '@sparc/protocol/ports';
import {
  accept,
  attestedPart,
  epochName,
  epochOf,
  followsOn,
  grown,
  holds,
  isOfSite,
  mayEnd,
  mayLead,
  type AuthorLog,
  type Fork,
} from '@sparc/protocol/replication';
import type { CloudWords } from '../emptying/index.js';
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
  /** Undefined where the cloud is not known: then nothing is taken for emptied. */
  readonly cloudWords?: CloudWords | undefined;
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
  /** By epoch, ends of what others have emptied, until the opening of the next epoch names them. */
  readonly #ends = new Map<string, ReplicaAppend>();
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
    if (append === undefined || !this.#takeEnd(append)) return false;
    if (acceptance.fork !== undefined) this.#forks.push(acceptance.fork);
    this.#appends.push(append);
    this.#log = grown(this.#log, append);
    this.#sizeBytes += append.entries.reduce((sum, { content }) => sum + content.length, 0);
    return true;
  }

  /**
   * Where whoever sends a log has emptied an epoch: the head over its end. It is taken together with the opening of the next epoch,
   * which has to name this very entry, and only where the cloud said long enough ago that it has it. False where what comes
   * behind it is of no use either. Throws as `mayEnd` does.
   */
  addEnd(head: SignedHead): boolean {
    const { crypto, cloudWords, siteId, authority } = this.deps;
    if (!isOfSite(head.site, siteId)) throw malformed(`an epoch of site ${head.site}`);
    if (toHex(head.author) !== this.author) throw malformed('an epoch of another author');
    if (this.author === authority) throw malformed('the log of the authority is never emptied');
    const held = epochOf(this.#log, head.epoch);
    // As much is held, or another end: others are asked for what is in the gap.
    if (held !== undefined && (held.gap !== undefined || held.head.sequence >= head.sequence)) return true;
    if (cloudWords?.covers(head) !== true) return false;
    if (this.#attested !== undefined && !mayLead(this.#log, this.#attested, head)) return false;
    if (!mayEnd(crypto, this.#log, head)) return false;
    const end = { entries: [], head, isEnd: true } as const;
    this.#ends.set(epochName(head.epoch), end);
    this.#log = grown(this.#log, end);
    return true;
  }

  /** The end that an opening follows on. False where that is not the end that was said. */
  #takeEnd({ previous }: ReplicaAppend): boolean {
    const name = previous && epochName(previous.epoch);
    const end = name === undefined ? undefined : this.#ends.get(name);
    if (previous === undefined || name === undefined || end === undefined) return true;
    if (!followsOn(previous, end.head)) return false;
    this.#ends.delete(name);
    // What was emptied may have come from others meanwhile.
    if (epochOf(this.#log, end.head.epoch)?.gap !== undefined) this.#appends.push(end);
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
