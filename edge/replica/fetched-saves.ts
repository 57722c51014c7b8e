import type { Clock, Timer } from '@sparc/protocol/ports';
import type { Intake } from './intake.js';

interface Waiting {
  readonly intake: Intake;
  readonly resolve: (isMore: boolean) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * What several fetches bring at a time is one write: in a large site most entries come alone, each from another neighbour, and
 * the flush of each would be most of what a gateway does.
 */
export class FetchedSaves {
  #waiting: Waiting[] = [];
  #timer: Timer | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly write: (intakes: readonly Intake[]) => void,
  ) {}

  /**
   * Resolves when it is on disk, or has been outrun: then others brought it meanwhile, and what follows on it can be fetched.
   * False where nothing of it is new. Rejects with what `write` throws.
   */
  save(intake: Intake): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ intake, resolve, reject });
      this.#timer ??= this.clock.setTimer(0, () => this.#saveAll());
    });
  }

  #saveAll(): void {
    this.#timer = undefined;
    const waiting = this.#waiting.splice(0);
    // Of one author the first: a fetch that was given up may still bring the same.
    const written = new Map<string, Intake>();
    for (const { intake } of waiting) {
      if (!intake.isOutrun && !written.has(intake.author)) written.set(intake.author, intake);
    }
    try {
      this.write([...written.values()]);
    } catch (error) {
      for (const { reject } of waiting) reject(error);
      return;
    }
    for (const { intake, resolve } of waiting) {
      resolve(written.get(intake.author) !== intake || intake.appends.length > 0);
    }
  }
}
