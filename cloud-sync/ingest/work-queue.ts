import type { Carrier } from '@sparc/protocol/cloud-link';

/** Work that was taken and is not done. */
interface Work {
  /** Whose it is. */
  readonly owner: Pick<Carrier, 'tenant' | 'gateway'>;
  readonly sizeBytes: number;
  run(): Promise<void>;
}

export interface WorkLimits {
  /** Done at a time. */
  readonly busyMax: number;
  /** Of one gateway, done at a time: where its link is slow, others have the rest. */
  readonly busyOfOneMax: number;
  /** Of one gateway, done or waiting. */
  readonly ofOneMax: number;
  /** Of all, of one tenant and of one gateway together: what a tenant has is left to the others once more, so that none takes all. */
  readonly bytesMax: number;
}

/** Done or waiting; of all, of a tenant or of a gateway. */
interface Share {
  readonly count: number;
  readonly busyCount: number;
  readonly sizeBytes: number;
}

const NONE: Share = { count: 0, busyCount: 0, sizeBytes: 0 };

/**
 * Does work of each gateway in the order in which it came, so much at a time, of a tenant that has little of it under way
 * first. What is too much is not taken: whoever gave it says it again.
 */
export class WorkQueue {
  readonly #waiting: Work[] = [];
  /** By the names of those who have some. */
  readonly #shares = new Map<string, Share>();
  #idle: (() => void) | undefined;

  constructor(private readonly limits: WorkLimits) {}

  /** False where there is too much of it. `work.run` does not reject. */
  take(work: Work): boolean {
    const { ofOneMax, bytesMax } = this.limits;
    const shares = namesOf(work).map((name) => this.#of(name));
    const sizeBytes = shares.reduce((sum, share) => sum + share.sizeBytes + work.sizeBytes, 0);
    if (this.#of(gatewayOf(work)).count >= ofOneMax || sizeBytes > bytesMax) return false;
    this.#add(work, { count: 1, busyCount: 0, sizeBytes: work.sizeBytes });
    this.#waiting.push(work);
    this.#next();
    return true;
  }

  /** Forgets what waits; resolves when nothing is done any more. */
  async stop(): Promise<void> {
    this.#waiting.length = 0;
    if (this.#of(ALL).busyCount > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
  }

  #next(): void {
    const { busyMax, busyOfOneMax } = this.limits;
    while (this.#of(ALL).busyCount < busyMax) {
      const ready = this.#waiting.filter((work) => this.#of(gatewayOf(work)).busyCount < busyOfOneMax);
      const [first, ...others] = ready;
      if (first === undefined) return;
      const busyOf = ({ owner }: Work) => this.#of(owner.tenant).busyCount;
      const work = others.reduce((best, each) => (busyOf(each) < busyOf(best) ? each : best), first);
      this.#waiting.splice(this.#waiting.indexOf(work), 1);
      this.#add(work, { ...NONE, busyCount: 1 });
      void work.run().finally(() => this.#done(work));
    }
  }

  #done(work: Work): void {
    this.#add(work, { count: -1, busyCount: -1, sizeBytes: -work.sizeBytes });
    this.#next();
    if (this.#of(ALL).busyCount === 0) this.#idle?.();
  }

  #of(name: string): Share {
    return this.#shares.get(name) ?? NONE;
  }

  #add(work: Work, { count, busyCount, sizeBytes }: Share): void {
    for (const name of namesOf(work)) {
      const share = this.#of(name);
      const next = {
        count: share.count + count,
        busyCount: share.busyCount + busyCount,
        sizeBytes: share.sizeBytes + sizeBytes,
      };
      if (next.count > 0) this.#shares.set(name, next);
      else this.#shares.delete(name);
    }
  }
}

const ALL = '';
const gatewayOf = ({ owner: { tenant, gateway } }: Work): string => `${tenant}/${gateway}`;
const namesOf = (work: Work): readonly string[] => [ALL, work.owner.tenant, gatewayOf(work)];
