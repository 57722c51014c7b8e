import { Worker } from 'node:worker_threads';
import { SparcError } from '@sparc/protocol/errors';
import type { Clock, Timer } from '@sparc/protocol/ports';
import type { Heard } from '../heard/index.js';
import type { ExpulsionTexts } from '../membership/index.js';
import { LifeWatch } from '../platform/index.js';
import type { ReplicaMessage } from '../policy/index.js';
import type { FromReplica, ReplicaThreadData, ToReplica, Unheard } from './replica-messages.js';

export interface ReplicaHandlers {
  /** At the start at least one: `generation` or `none`, with `rejected` before it for what could not be used. */
  onMessage(message: ReplicaMessage): void;
  /** What others said; a thread that starts again tells all of it again. */
  onHeard(heard: Heard): void;
  /** Told once, until it is over. */
  onUnheard(unheard: Unheard): void;
  /**
   * ERR_GATEWAY_PART_FAILED: the thread ended, or hangs and is ended. It is started again once it has, and the last
   * generation stays in use; of others nothing is heard till then.
   */
  onFailed(error: SparcError): void;
}

const RESTART_MIN_MS = 1_000;
const RESTART_MAX_MS = 60_000;
/** A thread that ran this long is taken for healthy: its next restart is quick again. */
const HEALTHY_AFTER_MS = 60_000;

/** The replica thread, seen from the field. */
export class ReplicaClient {
  readonly #clock: Clock;
  readonly #data: ReplicaThreadData;
  readonly #handlers: ReplicaHandlers;
  readonly #life: LifeWatch;
  #worker: Worker | undefined;
  #restart: Timer | undefined;
  #restartMs = RESTART_MIN_MS;
  #stopped = false;
  #isHearing = false;
  /** Which the disk may not have. Undefined: none since the start. */
  #expulsions: ExpulsionTexts | undefined;
  /** Number of the generation that was told last; undefined before the first message. */
  #told: number | 'none' | undefined;

  constructor(clock: Clock, { dataDir, publicKey }: ReplicaThreadData, handlers: ReplicaHandlers) {
    this.#clock = clock;
    this.#data = { dataDir, publicKey };
    this.#handlers = handlers;
    this.#life = new LifeWatch(clock, {
      ask: () => this.#post({ kind: 'ask' }),
      onSilent: () => this.#lost('it does not answer'),
    });
  }

  start(): void {
    if (this.#stopped) return;
    const worker = new Worker(new URL('./replica-worker/main.js', import.meta.url), { workerData: this.#data });
    const startedAtMs = this.#clock.monotonicMs();
    this.#worker = worker;
    if (this.#isHearing) this.hear();
    let reason = 'it ended';
    worker.on('message', (message: FromReplica) => {
      if (worker === this.#worker) this.#hear(message);
    });
    worker.on('error', (error) => (reason = error.message));
    worker.on('exit', () => {
      if (worker === this.#worker) this.#lost(reason);
      this.#startAgain(this.#clock.monotonicMs() - startedAtMs);
    });
    this.#life.start();
  }

  /** From now on there is somebody to take what others say. */
  hear(): void {
    this.#isHearing = true;
    if (this.#expulsions !== undefined) this.#post({ kind: 'expelled', expulsions: this.#expulsions });
    this.#post({ kind: 'hear' });
  }

  /** There may be more in the replicas. */
  stored(): void {
    if (this.#isHearing) this.#post({ kind: 'stored' });
  }

  /** An operator expelled a gateway: all whom operators expelled. A thread that starts again is told again. */
  expelled(expulsions: ExpulsionTexts): void {
    this.#expulsions = expulsions;
    if (this.#isHearing) this.#post({ kind: 'expelled', expulsions });
  }

  /** Idempotent; no handler runs after it resolves. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#restart?.cancel();
    this.#life.stop();
    await this.#worker?.terminate();
  }

  /** Of this thread nothing is heard any more; where it hangs in a call of the system, it ends when that returns. */
  #lost(reason: string): void {
    if (this.#stopped) return;
    const worker = this.#worker;
    this.#worker = undefined;
    this.#life.stop();
    void worker?.terminate();
    this.#handlers.onFailed(new SparcError('ERR_GATEWAY_PART_FAILED', `the replica thread failed: ${reason}`));
  }

  /** Once the thread has ended: where a disk hangs, another one would hang beside it, and one more after each. */
  #startAgain(ranMs: number): void {
    if (this.#stopped) return;
    const delayMs = ranMs >= HEALTHY_AFTER_MS ? RESTART_MIN_MS : this.#restartMs;
    this.#restartMs = Math.min(delayMs * 2, RESTART_MAX_MS);
    this.#restart = this.#clock.setTimer(delayMs, () => this.start());
  }

  #hear(message: FromReplica): void {
    if (this.#stopped) return;
    this.#life.answered();
    if (message.kind === 'alive') return;
    if (message.kind === 'heard') {
      this.#handlers.onHeard(message.heard);
      this.#post({ kind: 'taken' });
    } else if (message.kind === 'unheard') {
      this.#handlers.onUnheard(message);
    } else if (this.#isNews(message)) {
      this.#handlers.onMessage(message);
    }
  }

  #post(message: ToReplica): void {
    this.#worker?.postMessage(message);
  }

  /** A thread that starts again tells again; the field hears of each change of the policy once. */
  #isNews(message: ReplicaMessage): boolean {
    if (message.kind !== 'generation' && message.kind !== 'none') return true;
    const told = message.kind === 'generation' ? message.manifest.generation : 'none';
    if (told === this.#told) return false;
    this.#told = told;
    return true;
  }
}
