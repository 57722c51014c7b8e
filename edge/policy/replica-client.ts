import { Worker } from 'node:worker_threads';
import { SparcError } from '@sparc/protocol/errors';
import type { Clock, Timer } from '@sparc/protocol/ports';
import type { ReplicaMessage } from './replica-watch.js';
import type { ReplicaWorkerData } from './replica-worker/main.js';

export interface ReplicaHandlers {
  /** At the start at least one: `generation` or `none`, with `rejected` before it for what could not be used. */
  onMessage(message: ReplicaMessage): void;
  /** ERR_GATEWAY_PART_FAILED: the thread ended; it is started again, and the last generation stays in use. */
  onFailed(error: SparcError): void;
}

const RESTART_MIN_MS = 1_000;
const RESTART_MAX_MS = 60_000;

/** The replica thread, seen from the field. */
export class ReplicaClient {
  readonly #clock: Clock;
  readonly #data: ReplicaWorkerData;
  readonly #handlers: ReplicaHandlers;
  #worker: Worker | undefined;
  #restart: Timer | undefined;
  #restartMs = RESTART_MIN_MS;
  #stopped = false;
  /** Number of the generation that was told last; undefined before the first message. */
  #told: number | 'none' | undefined;

  constructor(clock: Clock, { dataDir, publicKey }: ReplicaWorkerData, handlers: ReplicaHandlers) {
    this.#clock = clock;
    this.#data = { dataDir, publicKey };
    this.#handlers = handlers;
  }

  start(): void {
    if (this.#stopped) return;
    const worker = new Worker(new URL('./replica-worker/main.js', import.meta.url), { workerData: this.#data });
    this.#worker = worker;
    let reason = 'it ended';
    worker.on('message', (message: ReplicaMessage) => this.#hear(message));
    worker.on('error', (error) => (reason = error.message));
    worker.on('exit', () => {
      if (this.#stopped) return;
      this.#handlers.onFailed(new SparcError('ERR_GATEWAY_PART_FAILED', `the replica thread failed: ${reason}`));
      this.#restart = this.#clock.setTimer(this.#restartMs, () => this.start());
      this.#restartMs = Math.min(this.#restartMs * 2, RESTART_MAX_MS);
    });
  }

  /** Idempotent; no handler runs after it resolves. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#restart?.cancel();
    await this.#worker?.terminate();
  }

  /** A thread that starts again tells again; the field hears of each change once. */
  #hear(message: ReplicaMessage): void {
    if (this.#stopped) return;
    this.#restartMs = RESTART_MIN_MS;
    if (message.kind === 'generation' || message.kind === 'none') {
      const told = message.kind === 'generation' ? message.manifest.generation : 'none';
      if (told === this.#told) return;
      this.#told = told;
    }
    this.#handlers.onMessage(message);
  }
}
