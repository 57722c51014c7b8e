import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { SparcError } from '@sparc/protocol/errors';
import type { Clock, Timer } from '@sparc/protocol/ports';
import type { SiteEvent } from './site-event.js';
import { HEALTH_INTERVAL_MS, type FieldToSite, type SiteOptions, type SiteToField } from './site-messages.js';
import type { SiteSnapshot } from './site-snapshot.js';

export interface SiteProcessHandlers {
  /** The present state; asked whenever the site process needs it, at most 20 times a second. */
  snapshot(): SiteSnapshot;
  /** The API is served; after each start. */
  onListening(url: string): void;
  /** The API is not served: the process ended (ERR_GATEWAY_PART_FAILED) or its address is taken. It is tried again. */
  onDown(error: SparcError): void;
}

/** Old space of the site process, in MB; past it V8 ends the process and it is restarted. */
export const SITE_HEAP_MAX_MB = 96;
/** Messages handed to the channel that it has not taken; more are dropped. */
export const SITE_BACKLOG_MAX = 256;
const SNAPSHOT_INTERVAL_MS = 50;
const RESTART_MIN_MS = 500;
const RESTART_MAX_MS = 30_000;
/** A process that ran this long is taken for healthy: its next restart is quick again. */
const HEALTHY_AFTER_MS = 60_000;
/** Less than its share of the time a gateway's stop may take, or a process that hangs would outlive the gateway. */
const STOP_DEADLINE_MS = 1_000;

const MAIN = fileURLToPath(new URL('main.js', import.meta.url));

/**
 * Runs the site part beside the field. Nothing here waits for it: what it cannot take is dropped and counted, and it
 * gets a fresh snapshot when it can; when it ends, it is restarted with back-off.
 */
export class SiteProcess {
  #child: ChildProcess | undefined;
  #isListening = false;
  #isStopping = false;
  #startedAtMs = 0;
  #restartDelayMs = RESTART_MIN_MS;
  #unsentCount = 0;
  #droppedCount = 0;
  #needsSnapshot = false;
  #snapshotTimer: Timer | undefined;
  #healthTimer: Timer | undefined;
  #restartTimer: Timer | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly handlers: SiteProcessHandlers,
    private readonly options: SiteOptions,
  ) {}

  /** Messages that were dropped because the site process was behind. */
  get droppedCount(): number {
    return this.#droppedCount;
  }

  /** Of the process that runs now, if one does. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  start(): void {
    const child = fork(MAIN, [JSON.stringify(this.options)], {
      execArgv: [`--max-old-space-size=${SITE_HEAP_MAX_MB}`],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#child = child;
    this.#startedAtMs = this.clock.monotonicMs();
    this.#unsentCount = 0;
    child.on('message', (message) => this.#receive(message as SiteToField));
    child.once('error', (error) => this.#onEnd(child, error.message, error));
    child.once('exit', (code, signal) => this.#onEnd(child, signal ?? `exit code ${code}`));
  }

  /** The snapshot changed: it is sent soon, once for many changes. */
  changed(): void {
    if (!this.#isListening) return;
    this.#snapshotTimer ??= this.clock.setTimer(SNAPSHOT_INTERVAL_MS, () => {
      this.#snapshotTimer = undefined;
      this.#sendSnapshot();
    });
  }

  /** Something was recorded. */
  event(event: SiteEvent): void {
    this.#send({ kind: 'event', event });
  }

  /** Idempotent. Ends within 1 s, by SIGKILL if need be. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#restartTimer?.cancel();
    const child = this.#child;
    if (child === undefined) return;
    const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
    child.kill('SIGTERM');
    const deadline = this.clock.setTimer(STOP_DEADLINE_MS, () => child.kill('SIGKILL'));
    await ended;
    deadline.cancel();
  }

  #receive(message: SiteToField): void {
    if (message.kind === 'failed') {
      this.handlers.onDown(new SparcError(message.code, message.message));
      return;
    }
    this.#isListening = true;
    this.#sendSnapshot();
    this.#beat();
    this.handlers.onListening(message.url);
  }

  #beat(): void {
    this.#send({ kind: 'health', droppedCount: this.#droppedCount });
    this.#healthTimer = this.clock.setTimer(HEALTH_INTERVAL_MS, () => this.#beat());
  }

  #sendSnapshot(): void {
    this.#needsSnapshot = false;
    this.#send({ kind: 'snapshot', snapshot: this.handlers.snapshot() });
  }

  #send(message: FieldToSite): void {
    const child = this.#child;
    // Before it listens nothing is lost: it starts from a snapshot, and reads older events from the journal.
    if (child === undefined || !this.#isListening) return;
    if (this.#unsentCount >= SITE_BACKLOG_MAX) {
      this.#droppedCount += 1;
      this.#needsSnapshot = true;
      return;
    }
    this.#unsentCount += 1;
    child.send(message, () => {
      if (child !== this.#child) return;
      this.#unsentCount -= 1;
      if (this.#unsentCount === 0 && this.#needsSnapshot) this.changed();
    });
  }

  #onEnd(child: ChildProcess, why: string, cause?: Error): void {
    if (child !== this.#child) return;
    this.#child = undefined;
    this.#isListening = false;
    this.#healthTimer?.cancel();
    this.#snapshotTimer?.cancel();
    this.#snapshotTimer = undefined;
    if (this.#isStopping) return;
    const ranMs = this.clock.monotonicMs() - this.#startedAtMs;
    const delayMs = ranMs >= HEALTHY_AFTER_MS ? RESTART_MIN_MS : this.#restartDelayMs;
    this.#restartDelayMs = Math.min(delayMs * 2, RESTART_MAX_MS);
    this.#restartTimer = this.clock.setTimer(delayMs, () => this.start());
    const message = `the site process ended (${why}); it is restarted in ${delayMs} ms`;
    this.handlers.onDown(new SparcError('ERR_GATEWAY_PART_FAILED', message, { part: 'site', why, delayMs }, { cause }));
  }
}
