import { sql } from 'kysely';
import type { Clock, Timer } from '@sparc/protocol/ports';
import type { Database } from '../db/index.js';
import type { Part } from './part.js';

/** Something that has to be done once in a while, by whichever process. It may be done again at any time. */
export interface Job {
  /** Of it alone, for good: the database goes by it. */
  readonly name: string;
  readonly everyMs: number;
  /** Ends early when `signal` is aborted. */
  run(signal: AbortSignal): Promise<void>;
}

export interface SchedulerDeps {
  readonly clock: Clock;
  readonly database: Database;
  readonly onFailure: (error: unknown, what: string) => void;
}

/** How often it is looked what is due. */
export const SCHEDULER_TICK_MS = 30_000;

/** Does jobs one after another. Each is begun in the database, so that of several processes one does it. */
export class Scheduler implements Part {
  readonly name = 'scheduler';
  readonly #ended = new AbortController();
  #timer: Timer | undefined;
  #turn: Promise<void> = Promise.resolve();

  constructor(
    private readonly deps: SchedulerDeps,
    private readonly jobs: readonly Job[],
  ) {}

  async start(): Promise<void> {
    this.#lookNow();
  }

  async stop(): Promise<void> {
    this.#ended.abort();
    this.#timer?.cancel();
    await this.#turn;
  }

  #lookNow(): void {
    this.#turn = this.#doWhatIsDue().then(() => {
      if (this.#ended.signal.aborted) return;
      this.#timer = this.deps.clock.setTimer(SCHEDULER_TICK_MS, () => this.#lookNow());
    });
  }

  async #doWhatIsDue(): Promise<void> {
    for (const job of this.jobs) {
      if (this.#ended.signal.aborted) return;
      await this.#do(job).catch((error: unknown) => this.deps.onFailure(error, `a job is not done: ${job.name}`));
    }
  }

  async #do(job: Job): Promise<void> {
    if (!(await this.#begin(job))) return;
    try {
      await job.run(this.#ended.signal);
    } catch (error) {
      await this.#fail(job);
      throw error;
    }
  }

  async #begin({ name, everyMs }: Job): Promise<boolean> {
    const { rows } = await this.deps.database.asSystem('job_begin', ({ query }) =>
      sql<{ isDue: boolean }>`
        select job_begin(${name}, make_interval(secs => ${everyMs / 1_000})) as "isDue"
      `.execute(query),
    );
    return rows.some(({ isDue }) => isDue);
  }

  async #fail({ name }: Job): Promise<void> {
    await this.deps.database.asSystem('job_fail', ({ query }) => sql`select job_fail(${name})`.execute(query));
  }
}
