import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { SparcError } from '@sparc/protocol/errors';
import type { Clock, Timer } from '@sparc/protocol/ports';
import type { LaneOptions } from './lane-process/main.js';
import type { LaneRejection } from './policy-lane.js';

export interface LaneHandlers {
  /** A revision of the site is not brought into force. */
  onRejected(rejection: LaneRejection): void;
  /** ERR_GATEWAY_PART_FAILED: the process ended. It is started again; what is in force stays. */
  onFailed(error: SparcError): void;
}

/** Old space of the process, in MB: people are streamed through it, however many there are. */
export const LANE_HEAP_MAX_MB = 64;
/** Of its young generation: what is streamed lives for a moment. */
const LANE_SEMI_SPACE_MB = 2;
const RESTART_MIN_MS = 1_000;
const RESTART_MAX_MS = 60_000;
/** A process that ran this long is taken for healthy: its next restart is quick again. */
const HEALTHY_AFTER_MS = 60_000;

const MAIN = fileURLToPath(new URL('lane-process/main.js', import.meta.url));

/** The process that brings revisions of the site into force, seen from the field, which starts it and waits for nothing. */
export class LaneProcess {
  #child: ChildProcess | undefined;
  #restart: Timer | undefined;
  #restartMs = RESTART_MIN_MS;
  #stopped = false;

  constructor(
    private readonly clock: Clock,
    private readonly options: LaneOptions,
    private readonly handlers: LaneHandlers,
  ) {}

  start(): void {
    const startedAtMs = this.clock.monotonicMs();
    const child = fork(MAIN, [JSON.stringify(this.options)], {
      execArgv: [`--max-old-space-size=${LANE_HEAP_MAX_MB}`, `--max-semi-space-size=${LANE_SEMI_SPACE_MB}`],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#child = child;
    child.on('message', (message) => this.handlers.onRejected(message as LaneRejection));
    child.once('error', (error) => this.#onEnd(child, error.message, startedAtMs));
    child.once('exit', (code, signal) => {
      if (code !== 0) this.#onEnd(child, signal ?? `exit code ${code}`, startedAtMs);
      // It did its work, and ended to give its memory back.
      else if (!this.#stopped) this.start();
    });
  }

  /** Of the process that runs now, if one does. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Idempotent. In the middle of its work it is ended all the same: a generation counts whole or not at all. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#restart?.cancel();
    const child = this.#child;
    if (child === undefined) return;
    const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
    child.kill('SIGKILL');
    await ended;
  }

  #onEnd(child: ChildProcess, why: string, startedAtMs: number): void {
    if (child !== this.#child) return;
    this.#child = undefined;
    if (this.#stopped) return;
    const ranMs = this.clock.monotonicMs() - startedAtMs;
    const delayMs = ranMs >= HEALTHY_AFTER_MS ? RESTART_MIN_MS : this.#restartMs;
    this.#restartMs = Math.min(delayMs * 2, RESTART_MAX_MS);
    this.#restart = this.clock.setTimer(delayMs, () => this.start());
    this.handlers.onFailed(
      new SparcError('ERR_GATEWAY_PART_FAILED', `the policy lane ended (${why}); it is restarted in ${delayMs} ms`),
    );
  }
}
