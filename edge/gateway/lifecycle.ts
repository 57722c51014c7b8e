import type { Clock } from '@sparc/protocol/ports';

export interface Service {
  readonly name: string;
  start?(): Promise<void> | void;
  stop(): Promise<void> | void;
}

/** Starts services in order and stops them in reverse; every stop step runs, and none takes longer than its deadline. */
export class Lifecycle {
  readonly #started: Service[] = [];

  constructor(
    private readonly clock: Clock,
    private readonly stopStepMaxMs: number,
    /** Hears of a step that failed or ran out of time; the rest goes on. */
    private readonly onStopFailure: (service: string, error: unknown) => void,
  ) {}

  /** A service that fails to start is stopped again with the others, by whoever calls `stop`. */
  async start(service: Service): Promise<void> {
    this.#started.push(service);
    await service.start?.();
  }

  async stop(): Promise<void> {
    for (let service = this.#started.pop(); service !== undefined; service = this.#started.pop()) {
      try {
        await this.#withDeadline(service);
      } catch (error) {
        this.onStopFailure(service.name, error);
      }
    }
  }

  async #withDeadline(service: Service): Promise<void> {
    let timer;
    const deadline = new Promise<never>((_resolve, reject) => {
      timer = this.clock.setTimer(this.stopStepMaxMs, () =>
        reject(new Error(`not stopped after ${this.stopStepMaxMs} ms`)),
      );
    });
    try {
      await Promise.race([Promise.resolve(service.stop()), deadline]);
    } finally {
      (timer as { cancel(): void } | undefined)?.cancel();
    }
  }
}
