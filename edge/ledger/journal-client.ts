import { Worker } from 'node:worker_threads';
import { SparcError, type ErrorCode } from '@sparc/protocol/errors';
import { compareHlc, followedHlc, HLC_ZERO, type Hlc } from '@sparc/protocol/hlc';
import type { AppendedEntry, Clock, EntryDraft, Journal, Timer } from '@sparc/protocol/ports';
import type { CloudCopy } from './journal-emptier.js';
import {
  fromPlain,
  type FromJournal,
  type JournalThreadData,
  type Settled,
  type ToJournal,
} from './journal-messages.js';
import type { JournalStartReport } from './journal-start.js';
import { LatencyMeter, type Latency } from './latency-meter.js';

/** Appends without an answer; more are refused. */
const PENDING_MAX = 4096;
const RESTART_MIN_MS = 100;
const RESTART_MAX_MS = 5_000;

export interface JournalClientHandlers {
  /** After each start of the thread; after a restart its report has open grants that are the field's own. */
  onStart(report: JournalStartReport): void;
  /** The thread ended or could not start; it is started again by itself. */
  onDown(error: SparcError): void;
  /** The disk refuses entries, or takes them again: the moment to record what was granted meanwhile. */
  onWritable(writable: boolean, error?: SparcError): void;
  /** What was handed over as the cloud's word is not, or what it names cannot be dropped. */
  onCopyRefused(error: SparcError): void;
}

interface Pending {
  readonly draft: EntryDraft;
  readonly sinceMs: number;
  resolve(entry: AppendedEntry): void;
  reject(error: SparcError): void;
}

/**
 * The journal as the field sees it: hands records to the journal's thread. Entries appended while the thread starts
 * wait for it; those it had when it ended are refused with ERR_LEDGER_STOPPED, and counted in a `journal.gap`.
 */
export class JournalClient implements Journal {
  readonly #pending = new Map<number, Pending>();
  readonly #latency = new LatencyMeter();
  #unsent: ToJournal[] = [];
  #worker: Worker | undefined;
  #state: 'stopped' | 'starting' | 'running' | 'down' = 'stopped';
  #downReason: SparcError | undefined;
  #restart: Timer | undefined;
  #restartMs = RESTART_MIN_MS;
  #nextToken = 1;
  /** The latest stamp that was heard and is followed. */
  #heard = HLC_ZERO;

  constructor(
    private readonly clock: Clock,
    private readonly data: JournalThreadData,
    private readonly handlers: Partial<JournalClientHandlers> = {},
  ) {}

  /** Resolves at the first start that succeeds; failures before it go to `onDown`, and it is tried again. */
  start(): Promise<JournalStartReport> {
    return new Promise((resolve) => this.#spawn(resolve));
  }

  append(draft: EntryDraft): Promise<AppendedEntry> {
    return new Promise((resolve, reject) => {
      const refuse = (error: SparcError, code: ErrorCode) => {
        this.#countLost(1, code);
        reject(error);
      };
      if (this.#state === 'stopped') return reject(stopped('the journal is not running'));
      if (this.#downReason !== undefined) return refuse(this.#downReason, this.#downReason.code);
      if (this.#pending.size >= PENDING_MAX) {
        const code = 'ERR_LEDGER_QUEUE_FULL';
        return refuse(new SparcError(code, `${PENDING_MAX} entries wait for the disk`), code);
      }
      const token = this.#nextToken++;
      this.#pending.set(token, { draft, sinceMs: this.clock.monotonicMs(), resolve, reject });
      this.#send({ kind: 'append', token, draft, wall: this.clock.wall() });
    });
  }

  observe(hlc: Hlc): void {
    const followed = followedHlc(hlc, this.clock.wall().unixMs);
    if (followed === undefined || compareHlc(followed, this.#heard) <= 0) return;
    this.#heard = followed;
    // One that starts is told then.
    if (this.#state === 'running') this.#tellHeard();
  }

  openEpochAbove(counter: number): void {
    this.#send({ kind: 'openEpochAbove', counter });
  }

  /** Drops what is old and in the cloud, whenever there is time. */
  empty(copy: CloudCopy): void {
    if (this.#state === 'running') this.#send({ kind: 'empty', copy, wall: this.clock.wall() });
  }

  /** From the call of `append` to the entry's word from the disk. */
  latency(): Latency {
    return this.#latency.read();
  }

  /** Writes what waits, however long the disk takes, then ends the thread. Idempotent. */
  async stop(): Promise<void> {
    this.#restart?.cancel();
    const worker = this.#worker;
    this.#state = 'stopped';
    if (worker !== undefined) {
      const ended = new Promise((resolve) => worker.once('exit', resolve));
      // A thread that still starts reads them then.
      for (const message of this.#unsent.splice(0)) worker.postMessage(message);
      worker.postMessage({ kind: 'stop' } satisfies ToJournal);
      await ended;
    }
    this.#rejectAll(stopped('the journal was stopped'));
  }

  #spawn(onStart?: (report: JournalStartReport) => void): void {
    this.#state = 'starting';
    const worker = new Worker(new URL('./journal-worker.js', import.meta.url), { workerData: this.data });
    this.#worker = worker;
    let error: SparcError | undefined;
    worker.on('message', (message: FromJournal) => {
      switch (message.kind) {
        case 'started':
          this.#started(message.report);
          onStart?.(message.report);
          onStart = undefined;
          break;
        case 'failed':
          error = fromPlain(message.error);
          break;
        case 'settled':
          for (const result of message.results) this.#settle(result);
          break;
        case 'copyRefused':
          this.handlers.onCopyRefused?.(fromPlain(message.error));
          break;
        case 'writable':
          this.handlers.onWritable?.(message.writable, message.error && fromPlain(message.error));
          break;
      }
    });
    worker.on('error', (cause) => (error = stopped('the journal failed', cause)));
    worker.once('exit', () => this.#ended(error ?? stopped('the journal ended unexpectedly'), onStart));
  }

  #started(report: JournalStartReport): void {
    if (this.#state !== 'starting') return;
    this.#state = 'running';
    this.#downReason = undefined;
    this.#restartMs = RESTART_MIN_MS;
    this.#tellHeard();
    const unsent = this.#unsent;
    this.#unsent = [];
    for (const message of unsent) this.#send(message);
    this.handlers.onStart?.(report);
  }

  #ended(error: SparcError, onStart?: (report: JournalStartReport) => void): void {
    const started = this.#state === 'running';
    this.#worker = undefined;
    if (this.#state === 'stopped') return;
    this.#state = 'down';
    // A thread that ran is likely to run again in a moment; one that cannot start makes nobody wait.
    if (!started) this.#downReason = error;
    const lost = this.#pending.size;
    this.#rejectAll(started ? stopped('the journal ended before it answered', error) : error);
    if (lost > 0) this.#countLost(lost, error.code);
    this.handlers.onDown?.(error);
    this.#restart = this.clock.setTimer(this.#restartMs, () => this.#spawn(onStart));
    this.#restartMs = Math.min(this.#restartMs * 2, RESTART_MAX_MS);
  }

  #send(message: ToJournal): void {
    if (this.#state === 'running') this.#worker?.postMessage(message);
    else this.#unsent.push(message);
  }

  #tellHeard(): void {
    const message: ToJournal = { kind: 'observe', hlc: this.#heard, wall: this.clock.wall() };
    this.#worker?.postMessage(message);
  }

  #countLost(count: number, code: ErrorCode): void {
    const last = this.#unsent.at(-1);
    const sinceUnixMs = this.clock.wall().unixMs;
    if (last?.kind === 'lost' && last.code === code) {
      this.#unsent[this.#unsent.length - 1] = { ...last, count: last.count + count };
    } else {
      this.#send({ kind: 'lost', count, code, sinceUnixMs });
    }
  }

  #settle(result: Settled): void {
    const pending = this.#pending.get(result.token);
    if (pending === undefined) return;
    this.#pending.delete(result.token);
    if ('error' in result) return pending.reject(fromPlain(result.error));
    this.#latency.add(this.clock.monotonicMs() - pending.sinceMs);
    pending.resolve({ ...result.entry, record: pending.draft.record });
  }

  #rejectAll(error: SparcError): void {
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    this.#unsent = this.#unsent.filter(({ kind }) => kind === 'lost');
    for (const waiting of pending) waiting.reject(error);
  }
}

const stopped = (why: string, cause?: unknown) => new SparcError('ERR_LEDGER_STOPPED', why, {}, { cause });
