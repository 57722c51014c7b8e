import { fileURLToPath } from 'node:url';
import { Value } from '@sinclair/typebox/value';
import { isSparcError, SparcError } from '@sparc/protocol/errors';
import type { Clock, Timer } from '@sparc/protocol/ports';
import {
  SiteToField,
  type FieldAnswer,
  type FieldToSite,
  type RequestAnswer,
  type SiteEvent,
  type SiteOptions,
  type SiteSnapshot,
} from '../api/index.js';
import type { OwnTime } from '../clock/index.js';
import type { BusesView, CommissioningView } from '../commissioning/index.js';
import type { ExpulsionTexts } from '../membership/index.js';
import { LifeWatch, PartProcess } from '../platform/index.js';

export interface SiteProcessHandlers {
  /** The present state; asked whenever the site process needs it, at most 20 times a second. */
  snapshot(): SiteSnapshot;
  /** As `snapshot`, of commissioning. */
  commissioning(): CommissioningView;
  /** Asked every 2 s. */
  buses(): BusesView;
  /** A person asks through the API. What is given is not checked yet. Throws a SparcError that they are to see. */
  request(action: unknown, authorization: string | undefined): RequestAnswer | Promise<RequestAnswer>;
  /** Something of the mesh that is to be recorded. What is given is not checked yet. */
  meshNotice(notice: unknown): void;
  /** What the own clock is worth by itself; asked every `LIFE_INTERVAL_MS`. */
  ownTime(): OwnTime | undefined;
  /** What the gateway goes by. */
  timeInUse(): OwnTime | undefined;
  /** What neighbours say of the time. What is given is not checked yet. */
  siteTime(heard: unknown): void;
  /** There may be more in the replicas. */
  stored(): void;
  /** All parts of a policy revision may be on the disk. */
  policyHere(): void;
  /** What should be words of the cloud on what it has of the logs. They are not checked yet. */
  copied(words: readonly Uint8Array[]): void;
  /** Members that are heard; nobody is while the site process does not run, or has been found to hang. */
  reach(keys: readonly string[]): void;
  /** The API is served; after each start. */
  onListening(url: string): void;
  /** The API is not served: the process ended or hangs (ERR_GATEWAY_PART_FAILED), or its address is taken. It is tried again. */
  onDown(error: SparcError): void;
}

/** Old space of the site process, in MB; past it V8 ends the process and it is restarted. */
export const SITE_HEAP_MAX_MB = 96;
/** Messages handed to the channel that it has not taken; more are dropped. */
export const SITE_BACKLOG_MAX = 256;
const SNAPSHOT_INTERVAL_MS = 50;
const BUSES_INTERVAL_MS = 2_000;
const RESTART_MIN_MS = 500;
const RESTART_MAX_MS = 30_000;
/** A process that ran this long is taken for healthy: its next restart is quick again. */
const HEALTHY_AFTER_MS = 60_000;
/** Less than its share of the time a gateway's stop may take, or a process that hangs would outlive the gateway. */
const STOP_DEADLINE_MS = 1_000;

/** States that are sent whole whenever they change. */
const CHANGING = ['snapshot', 'commissioning'] as const;
type Changing = (typeof CHANGING)[number];

const MAIN = fileURLToPath(new URL('main.js', import.meta.url));

/**
 * Runs the site part beside the field. Nothing here waits for it: what it cannot take is dropped and counted, and it
 * gets a fresh snapshot when it can; when it ends, it is restarted with back-off, and when it hangs, it is ended.
 */
export class SiteProcess {
  #child: PartProcess<SiteToField> | undefined;
  #isListening = false;
  #hasFailed = false;
  #isStopping = false;
  #startedAtMs = 0;
  #restartDelayMs = RESTART_MIN_MS;
  #unsentCount = 0;
  #droppedCount = 0;
  #needsSnapshot = false;
  /** Which the disk may not have. Undefined: none since the start. */
  #expulsions: ExpulsionTexts | undefined;
  /** By what will be sent soon. */
  readonly #changeTimers = new Map<Changing, Timer>();
  readonly #life: LifeWatch;
  #busesTimer: Timer | undefined;
  #restartTimer: Timer | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly handlers: SiteProcessHandlers,
    private readonly options: SiteOptions,
  ) {
    this.#life = new LifeWatch(clock, {
      ask: () => this.#sendHealth(),
      onSilent: () => {
        // A process that waits for a disk ends when that answers.
        handlers.reach([]);
        this.#child?.abandon('it does not answer');
      },
    });
  }

  /** Messages that were dropped because the site process was behind. */
  get droppedCount(): number {
    return this.#droppedCount;
  }

  /** Of the process that runs now, if one does. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  start(): void {
    this.#startedAtMs = this.clock.monotonicMs();
    this.#unsentCount = 0;
    this.#hasFailed = false;
    const child = new PartProcess<SiteToField>(this.clock, {
      main: MAIN,
      options: this.options,
      execArgv: [`--max-old-space-size=${SITE_HEAP_MAX_MB}`],
      isMessage: (said) => Value.Check(SiteToField, said),
      onMessage: (message) => this.#receive(message),
      onEnd: (why, _code, cause) => this.#onEnd(why, cause),
    });
    this.#child = child;
    if (this.#expulsions !== undefined) this.expelled(this.#expulsions);
    this.#life.start();
  }

  /** It is sent soon, once for many changes. */
  changed(what: Changing): void {
    if (!this.#isListening || this.#changeTimers.has(what)) return;
    const timer = this.clock.setTimer(SNAPSHOT_INTERVAL_MS, () => {
      this.#changeTimers.delete(what);
      this.#sendChanged(what);
    });
    this.#changeTimers.set(what, timer);
  }

  /** Something was recorded. */
  event(event: SiteEvent): void {
    this.#send({ kind: 'event', event });
  }

  /** An operator expelled a gateway: all whom operators expelled. A process that starts again is told again. */
  expelled(expulsions: ExpulsionTexts): void {
    this.#expulsions = expulsions;
    // The mesh runs also where the API's address is taken.
    this.#post({ kind: 'expelled', expulsions });
  }

  /** Idempotent. Ends within 1 s, by SIGKILL if need be. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#restartTimer?.cancel();
    await this.#child?.end('SIGTERM', STOP_DEADLINE_MS);
  }

  #receive(message: SiteToField): void {
    switch (message.kind) {
      case 'failed':
        // Once of each process, as what follows: it may not keep the field busy with itself.
        if (this.#hasFailed || this.#isListening) return;
        this.#hasFailed = true;
        this.handlers.onDown(new SparcError('ERR_API_ADDRESS_TAKEN', message.message));
        return;
      case 'listening':
        if (this.#isListening) return;
        this.#isListening = true;
        for (const what of CHANGING) this.#sendChanged(what);
        this.#sendBuses();
        this.handlers.onListening(message.url);
        return;
      case 'alive':
        this.#life.answered();
        return;
      case 'mesh':
        this.handlers.meshNotice(message.notice);
        return;
      case 'siteTime':
        this.handlers.siteTime(message.heard);
        return;
      case 'stored':
        this.handlers.stored();
        return;
      case 'policyHere':
        this.handlers.policyHere();
        return;
      case 'copied':
        this.handlers.copied(message.words.map((word) => Buffer.from(word, 'base64')));
        return;
      case 'reach':
        this.handlers.reach(message.keys);
        return;
      case 'request':
        void this.#answer(message).then((answer) => {
          // Whoever has the answer and looks finds what was done.
          if (answer.ok) for (const what of CHANGING) this.#sendChanged(what);
          this.#send({ kind: 'answer', id: message.id, answer });
        });
        return;
    }
  }

  async #answer({ action, authorization }: Extract<SiteToField, { kind: 'request' }>): Promise<FieldAnswer> {
    try {
      return { ok: true, value: await this.handlers.request(action, authorization) };
    } catch (error) {
      if (isSparcError(error)) return { ok: false, code: error.code, message: error.message };
      return { ok: false, code: 'ERR_GATEWAY_INTERNAL', message: 'the request failed by a defect of the gateway' };
    }
  }

  /** Also to one that does not listen yet, or is behind, and does answer: a question that it never got would count against it. */
  #sendHealth(): void {
    const { handlers } = this;
    const times = { time: handlers.ownTime(), timeInUse: handlers.timeInUse() };
    this.#hand({ kind: 'health', droppedCount: this.#droppedCount, ...times });
  }

  #sendBuses(): void {
    this.#send({ kind: 'buses', view: this.handlers.buses() });
    this.#busesTimer = this.clock.setTimer(BUSES_INTERVAL_MS, () => this.#sendBuses());
  }

  #sendChanged(what: Changing): void {
    this.#needsSnapshot = false;
    if (what === 'snapshot') this.#send({ kind: 'snapshot', snapshot: this.handlers.snapshot() });
    else this.#send({ kind: 'commissioning', view: this.handlers.commissioning() });
  }

  /** Before it listens nothing is lost: it starts from a snapshot, and reads older events from the journal. */
  #send(message: FieldToSite): void {
    if (this.#isListening) this.#post(message);
  }

  #post(message: FieldToSite): void {
    if (this.#child === undefined) return;
    if (this.#unsentCount < SITE_BACKLOG_MAX) return this.#hand(message);
    this.#droppedCount += 1;
    this.#needsSnapshot = true;
  }

  #hand(message: FieldToSite): void {
    const child = this.#child;
    if (child === undefined) return;
    this.#unsentCount += 1;
    child.send(message, () => {
      if (child !== this.#child) return;
      this.#unsentCount -= 1;
      if (this.#unsentCount === 0 && this.#needsSnapshot) for (const what of CHANGING) this.changed(what);
    });
  }

  #onEnd(why: string, cause?: Error): void {
    this.#child = undefined;
    this.#isListening = false;
    this.#life.stop();
    this.#busesTimer?.cancel();
    for (const timer of this.#changeTimers.values()) timer.cancel();
    this.#changeTimers.clear();
    if (this.#isStopping) return;
    this.handlers.reach([]);
    const ranMs = this.clock.monotonicMs() - this.#startedAtMs;
    const delayMs = ranMs >= HEALTHY_AFTER_MS ? RESTART_MIN_MS : this.#restartDelayMs;
    this.#restartDelayMs = Math.min(delayMs * 2, RESTART_MAX_MS);
    this.#restartTimer = this.clock.setTimer(delayMs, () => this.start());
    const message = `the site process ended (${why}); it is restarted in ${delayMs} ms`;
    this.handlers.onDown(new SparcError('ERR_GATEWAY_PART_FAILED', message, { part: 'site', why, delayMs }, { cause }));
  }
}
