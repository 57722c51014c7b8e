import type { Clock } from '@sparc/protocol/ports';

export interface Service {
  readonly name: string;
  start?(): Promise<void> | void;
  stop(): Promise<void> | void;
}

/** Starts services in order and stops them in reverse; every stop step runs, and all of them end by one deadline. */
export class Lifecycle {
  readonly #started: Service[] = [];

  constructor(
    private readonly clock: Clock,
    private readonly stopMaxMs: number,
    /** Hears of a step that failed or ran out of time; the rest goes on. */
    private readonly onStopFailure: (service: string, error: unknown) => void,
  ) {}

  /** A service that fails to start is stopped again with the others, by whoever calls `stop`. */
  async start(service: Service): Promise<void> {
    this.#started.push(service);
    await service.start?.();
  }

  async stop(): Promise<void> {
    const endsAtMs = this.clock.monotonicMs() + this.stopMaxMs;
    for (let service = this.#started.pop(); service !== undefined; service = this.#started.pop()) {
      try {
        // A service gets two shares of what is left and leaves one to each of those behind it.
        const restMs = Math.max(0, endsAtMs - this.clock.monotonicMs());
        await this.#stopWithin(service, (2 * restMs) / (this.#started.length + 2));
      } catch (error) {
        this.onStopFailure(service.name, error);
      }
    }
  }

  async #stopWithin(service: Service, maxMs: number): Promise<void> {
    let expire: () => void = () => undefined;
    const expired = new Promise<never>((_resolve, reject) => {
      expire = () => reject(new Error(`not stopped after ${Math.round(maxMs)} ms`));
    });
    const timer = this.clock.setTimer(maxMs, () => expire());
    try {
      await Promise.race([Promise.resolve(service.stop()), expired]);
    } finally {
      timer.cancel();
    }
  }
}
