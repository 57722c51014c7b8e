import type { SignedDirective } from '@sparc/protocol/directive';
import type { Clock } from '@sparc/protocol/ports';
import { NewestSaver } from '../platform/index.js';
import { bounded, OPEN_CASES_MAX } from './open-cases.js';

/**
 * Directives of one operator that a gateway remembers to have dealt with. Beyond it their oldest goes, and what is older of
 * theirs passes for dealt with: whoever directs without end makes nothing of anybody else forgotten.
 */
export const DIRECTIVES_REMEMBERED_MAX = 512;

/** Refusals that a restart does not tell again. Apart from the others: whoever lies to be refused makes nothing forgotten. */
export const REFUSALS_REMEMBERED_MAX = 256;

/** What was dealt with. `unixMs`: of the entry that carried it. */
export interface Remembered {
  readonly id: string;
  readonly unixMs: number;
}

export interface RememberedOperator {
  /** Public key in hex. */
  readonly operator: string;
  /** By their instant. */
  readonly remembered: readonly Remembered[];
  /** Of what was carried before, nothing is known any more. */
  readonly floorUnixMs: number;
}

/** What lasts and was given here, which the authority may have another word on. */
export interface GivenHere extends SignedDirective {
  /** Of the entry that carries it. */
  readonly unixMs: number;
}

export interface SavedDirectives {
  readonly operators: readonly RememberedOperator[];
  /** Ids of what was refused, the newest last. */
  readonly refused: readonly string[];
  /** The newest last. */
  readonly given: readonly GivenHere[];
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
  /** By key. */
  readonly #operators = new Map<string, RememberedOperator>();
  readonly #ids = new Set<string>();
  #refused: readonly string[] = [];
  #given: readonly GivenHere[] = [];
  readonly #saver: NewestSaver;

  constructor(
    clock: Clock,
    private readonly store: DirectiveStore,
    onFailure: (error: unknown, what: string) => void,
  ) {
    this.#saver = new NewestSaver({
      clock,
      save: () => store.save({ operators: [...this.#operators.values()], refused: this.#refused, given: this.#given }),
      onFailure: (error) => onFailure(error, 'which directives were carried out cannot be saved'),
    });
  }

  /** Throws as the store does; nothing is remembered then. */
  load(): void {
    const saved = this.store.load();
    if (saved === undefined) return;
    for (const each of saved.operators) {
      this.#operators.set(each.operator, each);
      for (const { id } of each.remembered) this.#ids.add(id);
    }
    this.#refused = saved.refused;
    this.#given = saved.given;
  }

  get given(): readonly GivenHere[] {
    return this.#given;
  }

  has(id: string): boolean {
    return this.#ids.has(id);
  }

  /** Whether it may have been dealt with, and forgotten since. */
  isForgotten(operator: string, unixMs: number): boolean {
    return unixMs <= this.#of(operator).floorUnixMs;
  }

  add(operator: string, { id, unixMs }: Remembered): void {
    if (this.#ids.has(id)) return;
    this.#ids.add(id);
    const { remembered: before, floorUnixMs } = this.#of(operator);
    const at = before.findLastIndex((each) => each.unixMs <= unixMs) + 1;
    const all = before.toSpliced(at, 0, { id, unixMs });
    const [oldest] = all.splice(0, all.length - DIRECTIVES_REMEMBERED_MAX);
    if (oldest !== undefined) this.#ids.delete(oldest.id);
    this.#set({ operator, remembered: all, floorUnixMs: Math.max(floorUnixMs, oldest?.unixMs ?? floorUnixMs) });
  }

  delete(operator: string, id: string): void {
    if (!this.#ids.delete(id)) return;
    const known = this.#of(operator);
    this.#set({ ...known, remembered: known.remembered.filter((each) => each.id !== id) });
  }

  isRefused(id: string): boolean {
    return this.#refused.includes(id);
  }

  addRefused(id: string): void {
    this.#refused = [...this.#refused, id].slice(-REFUSALS_REMEMBERED_MAX);
    this.#saver.changed();
  }

  addGiven(given: GivenHere): void {
    if (this.#given.some(({ signature }) => signature === given.signature)) return;
    this.#given = bounded([...this.#given, given], OPEN_CASES_MAX, ({ operator }) => operator);
    this.#saver.changed();
  }

  /** Resolves when all that was added before is on disk. Rejects as the store does, which need not be handled. */
  save(): Promise<void> {
    return this.#saver.save();
  }

  /** Resolves when a last save that is under way has ended. */
  stop(): Promise<void> {
    return this.#saver.stop();
  }

  #of(operator: string): RememberedOperator {
    return this.#operators.get(operator) ?? { operator, remembered: [], floorUnixMs: -1 };
  }

  #set(each: RememberedOperator): void {
    this.#operators.set(each.operator, each);
    this.#saver.changed();
  }
}
