/** Directives that a gateway remembers to have dealt with. Beyond it the oldest goes, and what is older passes for dealt with. */
export const DIRECTIVES_REMEMBERED_MAX = 4_096;

/** Refusals that a restart does not tell again. Apart from the others: whoever lies to be refused makes nothing forgotten. */
export const REFUSALS_REMEMBERED_MAX = 256;

/** What was dealt with. `unixMs`: of the entry that carried it. */
export interface Remembered {
  readonly id: string;
  readonly unixMs: number;
}

export interface SavedDirectives {
  /** By their instant. */
  readonly remembered: readonly Remembered[];
  /** Of what was carried before, nothing is known any more. */
  readonly floorUnixMs: number;
  /** Ids of what was refused, the newest last. */
  readonly refused: readonly string[];
}

/** Where it survives a restart. */
export interface DirectiveStore {
  /** Undefined where there was none. Throws ERR_DIRECTIVE_MEMORY_DAMAGED. */
  load(): SavedDirectives | undefined;
  /** Resolves when it is on disk. */
  save(saved: SavedDirectives): Promise<void>;
}

/** For a gateway that has no disk of its own, such as one in a test. */
export const VOLATILE_DIRECTIVES: DirectiveStore = { load: () => undefined, save: () => Promise.resolve() };

/** Which directives were dealt with, so that each is carried out once. */
export class DirectiveMemory {
  #remembered: Remembered[] = [];
  readonly #ids = new Set<string>();
  #floorUnixMs = -1;
  #refused: readonly string[] = [];
  #saving: Promise<void> | undefined;
  #isSaved = true;

  constructor(private readonly store: DirectiveStore) {}

  /** Throws as the store does; nothing is remembered then. */
  load(): void {
    const saved = this.store.load();
    if (saved === undefined) return;
    this.#remembered = [...saved.remembered];
    for (const { id } of saved.remembered) this.#ids.add(id);
    this.#floorUnixMs = saved.floorUnixMs;
    this.#refused = saved.refused;
  }

  has(id: string): boolean {
    return this.#ids.has(id);
  }

  /** Whether it may have been dealt with, and forgotten since. */
  isForgotten(unixMs: number): boolean {
    return unixMs <= this.#floorUnixMs;
  }

  add(remembered: Remembered): void {
    if (this.#ids.has(remembered.id)) return;
    this.#ids.add(remembered.id);
    const at = this.#remembered.findLastIndex(({ unixMs }) => unixMs <= remembered.unixMs) + 1;
    this.#remembered.splice(at, 0, remembered);
    if (this.#remembered.length > DIRECTIVES_REMEMBERED_MAX) this.#forgetOldest();
    this.#isSaved = false;
  }

  delete(id: string): void {
    if (!this.#ids.delete(id)) return;
    this.#remembered = this.#remembered.filter((each) => each.id !== id);
    this.#isSaved = false;
  }

  /** False where that was told before. */
  addRefused(id: string): boolean {
    if (this.#refused.includes(id)) return false;
    this.#refused = [...this.#refused, id].slice(-REFUSALS_REMEMBERED_MAX);
    this.#isSaved = false;
    return true;
  }

  /** Resolves when all that was added before is on disk. Rejects as the store does. */
  save(): Promise<void> {
    if (this.#isSaved && this.#saving === undefined) return Promise.resolve();
    return (this.#saving ??= this.#saveAll());
  }

  #forgetOldest(): void {
    const oldest = this.#remembered.shift();
    if (oldest === undefined) return;
    this.#ids.delete(oldest.id);
    this.#floorUnixMs = Math.max(this.#floorUnixMs, oldest.unixMs);
  }

  /** One write at a time, of the newest state only. */
  async #saveAll(): Promise<void> {
    try {
      while (!this.#isSaved) {
        this.#isSaved = true;
        const [remembered, floorUnixMs, refused] = [this.#remembered, this.#floorUnixMs, this.#refused];
        await this.store.save({ remembered, floorUnixMs, refused });
      }
    } catch (error) {
      this.#isSaved = false;
      throw error;
    } finally {
      this.#saving = undefined;
    }
  }
}
