/** Work that was taken and is not done. */
interface Work {
  readonly owner: string;
  readonly sizeBytes: number;
  run(): Promise<void>;
}

export interface WorkLimits {
  /** Done at a time. */
  readonly busyMax: number;
  /** Of one owner, done at a time: where its link is slow, others have the rest. */
  readonly busyOfOneMax: number;
  /** Of one owner, done or waiting. */
  readonly ofOneMax: number;
  /** Of all, done or waiting. */
  readonly bytesMax: number;
}

/** Does work of each owner in the order in which it came, so much at a time. What is too much is not taken: whoever gave it says it again. */
export class WorkQueue {
  readonly #waiting: Work[] = [];
  readonly #ofOne = new Map<string, number>();
  readonly #busyOfOne = new Map<string, number>();
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
      const index = this.#waiting.findIndex(({ owner }) => this.#busyOf(owner) < this.limits.busyOfOneMax);
      const [work] = index < 0 ? [] : this.#waiting.splice(index, 1);
      if (work === undefined) return;
      this.#busyCount += 1;
      this.#busyOfOne.set(work.owner, this.#busyOf(work.owner) + 1);
      void work.run().finally(() => this.#done(work));
    }
  }

  #done({ owner, sizeBytes }: Work): void {
    takeOne(this.#ofOne, owner);
    takeOne(this.#busyOfOne, owner);
    this.#sizeBytes -= sizeBytes;
    this.#busyCount -= 1;
    this.#next();
    if (this.#busyCount === 0) this.#idle?.();
  }

  #busyOf(owner: string): number {
    return this.#busyOfOne.get(owner) ?? 0;
  }
}

function takeOne(counts: Map<string, number>, owner: string): void {
  const left = (counts.get(owner) ?? 1) - 1;
  if (left > 0) counts.set(owner, left);
  else counts.delete(owner);
}
