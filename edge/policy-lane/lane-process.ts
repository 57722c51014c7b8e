import { fileURLToPath } from 'node:url';
import { Value } from '@sinclair/typebox/value';
import { SparcError } from '@sparc/protocol/errors';
import type { Clock, Timer } from '@sparc/protocol/ports';
import { PartProcess } from '../platform/index.js';
import type { LaneOptions } from './lane-process/main.js';
import { LaneRejection } from './policy-lane.js';

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
  #child: PartProcess<LaneRejection> | undefined;
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
    const child = new PartProcess<LaneRejection>(this.clock, {
      main: MAIN,
      options: this.options,
      execArgv: [`--max-old-space-size=${LANE_HEAP_MAX_MB}`, `--max-semi-space-size=${LANE_SEMI_SPACE_MB}`],
      isMessage: (said) => Value.Check(LaneRejection, said),
      onMessage: (rejection) => this.handlers.onRejected(rejection),
      onEnd: (why, code) => this.#onEnd(why, code, startedAtMs),
    });
    this.#child = child;
  }

  /** There may be something to build. */
  look(): void {
    this.#child?.send('look');
  }

  /** Of the process that runs now, if one does. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Idempotent. In the middle of its work it is ended all the same: a generation counts whole or not at all. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#restart?.cancel();
    await this.#child?.end('SIGKILL', 0);
  }

  #onEnd(why: string, code: number | undefined, startedAtMs: number): void {
    this.#child = undefined;
    if (this.#stopped) return;
    // It did its work, and ended to give its memory back.
    if (code === 0) return this.start();
    const ranMs = this.clock.monotonicMs() - startedAtMs;
    const delayMs = ranMs >= HEALTHY_AFTER_MS ? RESTART_MIN_MS : this.#restartMs;
    this.#restartMs = Math.min(delayMs * 2, RESTART_MAX_MS);
    this.#restart = this.clock.setTimer(delayMs, () => this.start());
    this.handlers.onFailed(
      new SparcError('ERR_GATEWAY_PART_FAILED', `the policy lane ended (${why}); it is restarted in ${delayMs} ms`),
    );
  }
}
