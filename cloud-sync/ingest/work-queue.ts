/** Work that was taken and is not done. */
interface Work {
  readonly owner: string;
  readonly sizeBytes: number;
  run(): Promise<void>;
}

export interface WorkLimits {
  /** Done at a time. */
  readonly busyMax: number;
  /** Of one owner, done or waiting. */
  readonly ofOneMax: number;
  /** Of all, done or waiting. */
  readonly bytesMax: number;
}

/** Does work in the order in which it came, so much at a time. What is too much is not taken: whoever gave it says it again. */
export class WorkQueue {
  readonly #waiting: Work[] = [];
  readonly #ofOne = new Map<string, number>();
  #busyCount = 0;
  #sizeBytes = 0;
  #idle: (() => void) | undefined;

  constructor(private readonly limits: WorkLimits) {}

  /** False where there is too much of it. `work.run` does not reject. */
  take(work: Work): boolean {
    const count = this.#ofOne.get(work.owner) ?? 0;
    if (count >= this.limits.ofOneMax || this.#sizeBytes + work.sizeBytes > this.limits.bytesMax) return false;
    this.#ofOne.set(work.owner, count + 1);
    this.#sizeBytes += work.sizeBytes;
    this.#waiting.push(work);
    this.#next();
    return true;
  }

  /** Forgets what waits; resolves when nothing is done any more. */
  async stop(): Promise<void> {
    this.#waiting.length = 0;
    if (this.#busyCount > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
  }

  #next(): void {
    while (this.#busyCount < this.limits.busyMax) {
      const work = this.#waiting.shift();
      if (work === undefined) return;
      this.#busyCount += 1;
      void work.run().finally(() => this.#done(work));
    }
  }

  #done({ owner, sizeBytes }: Work): void {
    const left = (this.#ofOne.get(owner) ?? 1) - 1;
    if (left > 0) this.#ofOne.set(owner, left);
    else this.#ofOne.delete(owner);
    this.#sizeBytes -= sizeBytes;
    this.#busyCount -= 1;
    this.#next();
    if (this.#busyCount === 0) this.#idle?.();
  }
}
