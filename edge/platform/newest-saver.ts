import type { Clock, Timer } from '@sparc/protocol/ports';

/** A disk that failed is tried again after this. */
const RETRY_MS = 1_000;

export interface NewestSaverDeps {
  readonly clock: Clock;
  /** Writes the state as it is when it is called. */
  readonly save: () => Promise<void>;
  /** The disk does not take it; not again before it took something. */
  readonly onFailure: (error: unknown) => void;
}

/** Brings a state that changes to the disk: one write at a time, the newest state only, again and again where it fails. */
export class NewestSaver {
  #isSaved = true;
  #isFailing = false;
  #saving: Promise<void> | undefined;
  #retry: Timer | undefined;
  #isStopped = false;

  constructor(private readonly deps: NewestSaverDeps) {}

  /** There is a newer state than the one on disk. */
  changed(): void {
    this.#isSaved = false;
  }

  /**
   * Resolves when all that changed before is on disk. Rejects with what the disk said, and after a stop; whoever does not wait
   * for it need not handle that.
   */
  save(): Promise<void> {
    if (this.#isSaved && this.#saving === undefined) return Promise.resolve();
    if (this.#saving === undefined) {
      this.#saving = this.#isStopped ? Promise.reject(new Error('nothing is saved after a stop')) : this.#saveNewest();
      this.#saving.catch(() => undefined);
    }
    return this.#saving;
  }

  /** Resolves when the write that is under way has ended: from then on another may write there. What failed is not tried again. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#retry?.cancel();
    await this.#saving?.catch(() => undefined);
  }

  /** Rejects where `save` throws. */
  async #write(): Promise<void> {
    await this.deps.save();
  }

  async #saveNewest(): Promise<void> {
    this.#retry?.cancel();
    try {
      while (!this.#isSaved) {
        this.#isSaved = true;
        await this.#write();
        this.#isFailing = false;
      }
    } catch (error) {
      this.#isSaved = false;
      if (!this.#isStopped) this.#retry = this.deps.clock.setTimer(RETRY_MS, () => void this.save());
      if (!this.#isFailing) this.deps.onFailure(error);
      this.#isFailing = true;
      throw error;
    } finally {
      this.#saving = undefined;
    }
  }
}
