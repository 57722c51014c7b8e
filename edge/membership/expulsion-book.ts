import { SparcError } from '@sparc/protocol/errors';
import type { EventDraft } from '@sparc/protocol/events';
import { isSignatureValid, type LedgerCrypto, type SignedHead } from '@sparc/protocol/ledger';
import type { Clock, EntryId } from '@sparc/protocol/ports';
import { mergeExpulsions, type Expulsion } from '@sparc/protocol/roster';
import { NewestSaver, toHex } from '../platform/index.js';

/** Where expulsions survive a restart. */
export interface ExpulsionStore {
  /** Throws ERR_MESH_MEMBERSHIP_DAMAGED. */
  load(): readonly Expulsion[];
  /** Resolves when it is on disk. */
  save(expulsions: readonly Expulsion[]): Promise<void>;
}

export interface ExpulsionBookDeps {
  readonly clock: Clock;
  readonly crypto: LedgerCrypto;
  readonly store: ExpulsionStore;
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

/**
 * Whom operators expelled: for good, as the authority does. It counts at once, even where the disk refuses it. Nobody is among
 * them whom no roster names, so they are no more than a site ever has.
 */
export class ExpulsionBook {
  #all: readonly Expulsion[] = [];
  readonly #saver: NewestSaver;

  constructor(private readonly deps: ExpulsionBookDeps) {
    this.#saver = new NewestSaver({
      clock: deps.clock,
      save: () => deps.store.save(this.all),
      onFailure: (error) => deps.onFailure(error, 'an expulsion cannot be saved: a restart forgets it'),
    });
  }

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

  /** Resolves when a last save that is under way has ended. */
  stop(): Promise<void> {
    return this.#saver.stop();
  }

  /**
   * Resolves when it is on disk. Two of one gateway come to the same in either order: what leads to the heads of one of them
   * counts. Rejects with ERR_MESH_HEAD_INVALID, or with ERR_MESH_EXPULSION_UNSAVED, when it is in force but a restart would
   * forget it.
   */
  async expel({ gateway, heads, directive, by, cause }: DirectedExpulsion): Promise<void> {
    const wrong = heads.some((head) => toHex(head.author) !== gateway || !isSignatureValid(this.deps.crypto, head));
    if (wrong) throw new SparcError('ERR_MESH_HEAD_INVALID', `a head is not signed by ${gateway}`, { key: gateway });
    this.#all = mergeExpulsions(this.#all, [{ key: gateway, heads }]);
    this.deps.onExpelled(this.all);
    this.deps.record({ name: 'mesh.expulsion_directed', detail: { gateway, by, directive } }, cause);
    this.#saver.changed();
    await this.#saver.save().catch((cause: unknown) => {
      const message = 'the gateway is expelled here, but the disk does not take it: a restart would forget it';
      throw new SparcError('ERR_MESH_EXPULSION_UNSAVED', message, {}, { cause });
    });
  }
}
