import { SparcError } from '@sparc/protocol/errors';
import type { EventDraft } from '@sparc/protocol/events';
import { isSignatureValid, type LedgerCrypto, type SignedHead } from '@sparc/protocol/ledger';
import type { EntryId } from '@sparc/protocol/ports';
import { mergeExpulsions, type Expulsion } from '@sparc/protocol/roster';
import { toHex } from '../platform/index.js';

/** Gateways that operators may have expelled beside the roster: more than a site ever has. */
export const EXPULSIONS_MAX = 64;

/** Where expulsions survive a restart. */
export interface ExpulsionStore {
  /** Throws ERR_MESH_MEMBERSHIP_DAMAGED. */
  load(): readonly Expulsion[];
  /** Resolves when it is on disk. */
  save(expulsions: readonly Expulsion[]): Promise<void>;
}

export interface ExpulsionBookDeps {
  readonly crypto: LedgerCrypto;
  readonly store: ExpulsionStore;
  /** Keys of those whom the newest roster has. */
  readonly members: () => ReadonlySet<string>;
  /** Keeps a record whenever the journal can. */
  readonly record: (event: EventDraft, cause?: Promise<EntryId | undefined>) => void;
  /** Called with all of them whenever one is new. */
  readonly onExpelled: (expulsions: readonly Expulsion[]) => void;
  readonly onFailure: (error: unknown, what: string) => void;
}

/** An expulsion that an operator directed. */
export interface DirectedExpulsion {
  readonly gateway: string;
  readonly heads: readonly SignedHead[];
  /** Id of the directive. */
  readonly directive: string;
  readonly by: string;
  readonly cause: Promise<EntryId | undefined>;
}

/** Whom operators expelled: for good, as the authority does. It counts at once, even where the disk refuses it. */
export class ExpulsionBook {
  #all: readonly Expulsion[] = [];
  #saving = Promise.resolve();

  constructor(private readonly deps: ExpulsionBookDeps) {}

  get all(): readonly Expulsion[] {
    return this.#all;
  }

  /** Once, before anything is directed. */
  start(): void {
    try {
      this.#all = this.deps.store.load();
    } catch (error) {
      this.deps.onFailure(error, 'whom operators expelled is lost');
    }
  }

  /**
   * Resolves when it is on disk. Two of one gateway come to the same in either order: what leads to the heads of one of them
   * counts. Rejects with ERR_MESH_HEAD_INVALID, ERR_MESH_MEMBERS_MAX, or ERR_MESH_EXPULSION_UNSAVED, when it is in force but a
   * restart would forget it.
   */
  async expel({ gateway, heads, directive, by, cause }: DirectedExpulsion): Promise<void> {
    const wrong = heads.some((head) => toHex(head.author) !== gateway || !isSignatureValid(this.deps.crypto, head));
    if (wrong) throw new SparcError('ERR_MESH_HEAD_INVALID', `a head is not signed by ${gateway}`, { key: gateway });
    this.#all = this.#bounded(mergeExpulsions(this.#all, [{ key: gateway, heads }]), gateway);
    this.deps.onExpelled(this.all);
    this.deps.record({ name: 'mesh.expulsion_directed', detail: { gateway, by, directive } }, cause);
    await this.#save();
  }

  /** An operator who expels keys that nobody has keeps no member in: those make room. */
  #bounded(all: readonly Expulsion[], wanted: string): readonly Expulsion[] {
    if (all.length <= EXPULSIONS_MAX) return all;
    const members = this.deps.members();
    const spare = all.find(({ key }) => !members.has(key));
    if (spare !== undefined && members.has(wanted)) return all.filter((each) => each !== spare);
    throw new SparcError('ERR_MESH_MEMBERS_MAX', `operators have expelled ${EXPULSIONS_MAX} gateways already`);
  }

  /** One write at a time; the next one has whatever a failed one had not. */
  #save(): Promise<void> {
    const saving = this.#saving.then(() => this.deps.store.save(this.all));
    this.#saving = saving.catch(() => undefined);
    return saving.catch((cause: unknown) => {
      this.deps.onFailure(cause, 'an expulsion cannot be saved: a restart forgets it');
      const message = 'the gateway is expelled here, but the disk does not take it: a restart would forget it';
      throw new SparcError('ERR_MESH_EXPULSION_UNSAVED', message, {}, { cause });
    });
  }
}
