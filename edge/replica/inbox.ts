import type { Clock, Timer } from '@sparc/protocol/ports';
import { Heads, type TipsByAuthor } from '@sparc/protocol/replication';
import type { Credits } from '../mesh/pace.js';
import { batchWork, MESSAGE_WORK } from './work-pace.js';

/** What a neighbour says. */
export interface Letter {
  readonly neighbour: string;
  readonly message: Uint8Array;
  readonly heads: Heads;
}

export interface InboxDeps {
  readonly clock: Clock;
  /** What each neighbour may still make this one do. */
  readonly work: Credits;
  /** What a neighbour is known to have; undefined for one that is not here. */
  tips(neighbour: string): TipsByAuthor | undefined;
  read(letters: readonly Letter[]): void;
  onMalformed(neighbour: string, error: unknown): void;
}

/** Messages that arrive together are read together: flushing what each brings would be most of the work in a busy site. */
export class Inbox {
  #arrived: { readonly neighbour: string; readonly message: Uint8Array }[] = [];
  #timer: Timer | undefined;
  /** By neighbour: the last message, where it was taken as a whole, and what the neighbour was known to have then. */
  readonly #heard = new Map<string, { readonly message: Uint8Array; readonly tips: TipsByAuthor }>();

  constructor(private readonly deps: InboxDeps) {}

  add(neighbour: string, message: Uint8Array): void {
    this.#arrived.push({ neighbour, message });
    this.#timer ??= this.deps.clock.setTimer(0, () => {
      this.#timer = undefined;
      this.deps.read(this.#arrived.splice(0).flatMap((arrived) => this.#open(arrived)));
    });
  }

  /** `isWhole`: the letter would change nothing if it came again. */
  heard({ neighbour, message }: Letter, isWhole: boolean): void {
    const tips = this.deps.tips(neighbour);
    if (isWhole && tips !== undefined) this.#heard.set(neighbour, { message, tips });
    else this.#heard.delete(neighbour);
  }

  forget(neighbour: string): void {
    this.#heard.delete(neighbour);
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #open({ neighbour, message }: Omit<Letter, 'heads'>): readonly Letter[] {
    const { work } = this.deps;
    if (!work.take(neighbour, MESSAGE_WORK) || this.#isRepeated(neighbour, message)) return [];
    try {
      const heads = Heads.decode(message);
      for (const batch of heads.pushed) work.spend(neighbour, batchWork(batch));
      return [{ neighbour, message, heads }];
    } catch (error) {
      this.deps.onMalformed(neighbour, error);
      return [];
    }
  }

  /** Most of what is said in a quiet site is what was said and taken, and what the neighbour is known to have ever since. */
  #isRepeated(neighbour: string, message: Uint8Array): boolean {
    const heard = this.#heard.get(neighbour);
    return (
      heard !== undefined && heard.tips === this.deps.tips(neighbour) && Buffer.compare(heard.message, message) === 0
    );
  }
}
