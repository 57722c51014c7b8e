import type { FastifyBaseLogger } from 'fastify';
import { isSparcError } from '@sparc/protocol/errors';
import type { Clock, Timer } from '@sparc/protocol/ports';
import type { PartHealth } from '../api/index.js';
import type { Part } from './part.js';

/** After a start that failed; doubled up to the longest. */
export const START_AGAIN_MIN_MS = 500;
export const START_AGAIN_MAX_MS = 15_000;
/** Of one part; the process goes on to end without it. */
export const STOP_MAX_MS = 10_000;

type Progress = 'waiting' | 'started';

/**
 * Runs the parts of a process: each is started when those before it have, and tried again until it starts, so that
 * databases and brokers may come later than the process. Stopped in reverse.
 */
export class PartsRunner {
  readonly #states = new Map<Part, { progress: Progress; problem?: string }>();
  #timer: Timer | undefined;
  #wake: (() => void) | undefined;
  #isStopping = false;
  #running: Promise<void> | undefined;

  constructor(
    private readonly deps: { readonly clock: Clock; readonly log: FastifyBaseLogger },
    private readonly parts: readonly Part[],
  ) {
    for (const part of parts) this.#states.set(part, { progress: 'waiting' });
  }

  health(): readonly PartHealth[] {
    return [...this.#states].map(([part, { progress, problem }]) => {
      const said = progress === 'started' ? part.problem?.() : (problem ?? 'has not started yet');
      return { name: part.name, ...(said !== undefined && { problem: said }) };
    });
  }

  /** Resolves when all have started, or `stop` was called. */
  start(): Promise<void> {
    return (this.#running ??= this.#startAll());
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    if (this.#isStopping) return;
    this.#isStopping = true;
    this.#timer?.cancel();
    this.#wake?.();
    if (!(await this.#inTime(this.#running))) this.deps.log.error('a part that starts does not end in time');
    for (const part of [...this.parts].reverse()) await this.#stop(part);
  }

  async #startAll(): Promise<void> {
    for (const part of this.parts) {
      for (let waitMs = START_AGAIN_MIN_MS; !this.#isStopping; waitMs = Math.min(2 * waitMs, START_AGAIN_MAX_MS)) {
        if (await this.#start(part)) break;
        await this.#sleep(waitMs);
      }
    }
  }

  async #start(part: Part): Promise<boolean> {
    const before = this.#states.get(part)?.problem;
    try {
      await part.start();
      this.#states.set(part, { progress: 'started' });
      this.deps.log.info({ part: part.name }, 'started');
      return true;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const problem = isSparcError(error) ? `${error.code}: ${message}` : message;
      this.#states.set(part, { progress: 'waiting', problem });
      // Once for each reason: it may go on for long.
      if (problem !== before) this.deps.log.warn({ part: part.name, err: error }, 'does not start; is tried again');
      return false;
    }
  }

  async #stop(part: Part): Promise<void> {
    try {
      if (!(await this.#inTime(part.stop()))) this.deps.log.error({ part: part.name }, 'does not stop in time');
    } catch (error) {
      this.deps.log.error({ part: part.name, err: error }, 'does not stop');
    }
  }

  /** Whether `work` is over within STOP_MAX_MS. */
  async #inTime(work: Promise<void> | undefined): Promise<boolean> {
    try {
      return await Promise.race([Promise.resolve(work).then(() => true), this.#after(STOP_MAX_MS).then(() => false)]);
    } finally {
      this.#timer?.cancel();
    }
  }

  #sleep(ms: number): Promise<void> {
    if (this.#isStopping) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wake = resolve;
      this.#timer = this.deps.clock.setTimer(ms, resolve);
    });
  }

  #after(ms: number): Promise<void> {
    return new Promise((resolve) => (this.#timer = this.deps.clock.setTimer(ms, resolve)));
  }
}
