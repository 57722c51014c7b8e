import { isSparcError } from '@sparc/protocol/errors';
import type { EventDraft, EventRecord } from '@sparc/protocol/events';
import type { AppendedEntry, Clock, EntryDraft, EntryId, Journal, Timer } from '@sparc/protocol/ports';
import { OrderRefused, refused } from '../site-mode/index.js';

/** Structured log, as pino has it. */
export interface FieldLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Records kept while the journal cannot write; beyond it the oldest is lost and counted. */
const VOLATILE_RECORDS_MAX = 10_000;
/** Records whose cause is not on disk yet; beyond it they go without naming it. */
const CAUSES_AWAITED_MAX = 1_000;
/** How often a journal that failed is tried again. */
const JOURNAL_RETRY_MS = 1_000;
/** From an order that opens to its record. */
const ORDER_RECORD_MAX_MS = 2_000;
/** Late records handed to the journal at a time. */
const LATE_BATCH_SIZE = 64;

interface Late {
  readonly record: EventRecord;
  readonly sinceMs: number;
  readonly resolve: (entry: AppendedEntry | undefined) => void;
}

interface RecorderDeps {
  readonly clock: Clock;
  readonly journal: Journal;
  readonly log: FieldLog;
  /**
   * Every record once: when it happens, and, where something waits for the disk, when it is there; of an order that opens,
   * when it is in force. `entry` resolves to undefined when it is lost.
   */
  readonly observe: (record: EventRecord, entry: Promise<AppendedEntry | undefined>) => void;
  /** Every entry when it is on disk. */
  readonly onEntry: (entry: AppendedEntry) => void;
}

/** The field's way to the journal: grants wait for it, everything else is recorded as soon as the journal can. */
export class Recorder {
  #late: Late[] = [];
  #lostCount = 0;
  #causesAwaitedCount = 0;
  #retry: Timer | undefined;
  #writing: Promise<void> | undefined;
  #healthy = true;
  #lastId: EntryId | undefined;
  #stopped = false;

  constructor(private readonly deps: RecorderDeps) {}

  /** The last append succeeded. */
  get healthy(): boolean {
    return this.#healthy;
  }

  get lastId(): EntryId | undefined {
    return this.#lastId;
  }

  get lateCount(): number {
    return this.#late.length;
  }

  /** Resolves when the entry is on disk; rejects as the journal does. */
  async commit(draft: EntryDraft & { readonly record: EventDraft }): Promise<AppendedEntry> {
    const entry = await this.#append(draft);
    this.deps.observe(draft.record, Promise.resolve(entry));
    return entry;
  }

  async #append(draft: EntryDraft): Promise<AppendedEntry> {
    try {
      const entry = await this.deps.journal.append(draft);
      this.#healthy = true;
      this.#lastId = entry.id;
      this.deps.onEntry(entry);
      return entry;
    } catch (error) {
      if (!isOfTheRecord(error)) this.#fail(error);
      throw error;
    }
  }

  /**
   * Records an order that opens, then carries it out; who waits for events hears of it when it is in force. Nothing opens
   * late: one whose record took too long has failed, as a card's grant has. Rejects with OrderRefused.
   */
  async commitOrder(record: EventDraft, carryOut: (id: EntryId) => void | Promise<void>): Promise<void> {
    const { clock, observe } = this.deps;
    const sinceMs = clock.monotonicMs();
    const entry = await this.#append({ record }).catch(() => {
      throw refused('the order cannot be recorded in time, and is recorded first');
    });
    const { id } = entry;
    try {
      if (clock.monotonicMs() - sinceMs > ORDER_RECORD_MAX_MS)
        throw refused('the order was not recorded in time, and nothing opens late');
      await carryOut(id);
    } catch (cause) {
      throw new OrderRefused((cause as Error).message, id, { cause });
    }
    observe(record, Promise.resolve(entry));
  }

  /** Hands the record to the journal at once, or keeps it until the journal can; see `RecordEvent`. */
  readonly record = (record: EventDraft, cause?: Promise<EntryId | undefined>): Promise<EntryId | undefined> => {
    const recorded = this.#record(record, cause);
    this.deps.observe(record, recorded);
    return recorded.then((entry) => entry?.id);
  };

  async #record(record: EventRecord, cause?: Promise<EntryId | undefined>): Promise<AppendedEntry | undefined> {
    const complete = cause === undefined ? record : await this.#withCause(record, cause);
    if (this.#late.length > 0) return this.#keep(complete);
    try {
      return await this.#append({ record: complete });
    } catch (error) {
      if (isOfTheRecord(error)) return this.#giveUp(complete, error);
      return this.#keep(complete);
    }
  }

  /** Tries once more to write what is late. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#retry?.cancel();
    await this.#writeLate();
    for (const { resolve } of this.#late.splice(0)) resolve(undefined);
  }

  async #withCause(record: EventRecord, cause: Promise<EntryId | undefined>): Promise<EventRecord> {
    if (this.#causesAwaitedCount >= CAUSES_AWAITED_MAX) return record;
    this.#causesAwaitedCount += 1;
    const causeId = await cause.finally(() => (this.#causesAwaitedCount -= 1));
    return causeId === undefined ? record : { ...record, causeId };
  }

  #fail(error: unknown): void {
    if (this.#healthy) this.deps.log.error({ code: codeOf(error) }, 'the journal does not write');
    this.#healthy = false;
  }

  /** The journal counts it as lost; tried again it would fail for ever, and everything behind it with it. */
  #giveUp({ name }: EventRecord, error: unknown): undefined {
    this.deps.log.error({ event: name, code: codeOf(error) }, 'no entry can hold a record');
  }

  #keep(record: EventRecord): Promise<AppendedEntry | undefined> {
    if (this.#stopped) return Promise.resolve(undefined);
    if (this.#late.length >= VOLATILE_RECORDS_MAX) {
      this.#late.shift()?.resolve(undefined);
      this.#lostCount += 1;
    }
    this.#scheduleRetry();
    return new Promise((resolve) => {
      this.#late.push({ record, sinceMs: this.deps.clock.monotonicMs(), resolve });
    });
  }

  #scheduleRetry(): void {
    if (this.#retry !== undefined || this.#stopped) return;
    this.#retry = this.deps.clock.setTimer(JOURNAL_RETRY_MS, () => {
      this.#retry = undefined;
      void this.#writeLate();
    });
  }

  /** One at a time: a disk that is slow as well would be told of the same gap twice. */
  #writeLate(): Promise<void> {
    this.#writing ??= this.#writeAllLate().finally(() => (this.#writing = undefined));
    return this.#writing;
  }

  /** The gap comes first: it says that what follows is late, and how much is lost for good. */
  async #writeAllLate(): Promise<void> {
    try {
      while (this.#late.length > 0 || this.#lostCount > 0) {
        const lost = this.#lostCount;
        const detail = { lost: String(lost), late: String(this.#late.length) };
        await this.commit({ record: { name: 'journal.gap', detail } });
        this.#lostCount -= lost;
        while (this.#late.length > 0) await this.#writeBatch();
      }
    } catch {
      this.#scheduleRetry();
    }
  }

  async #writeBatch(): Promise<void> {
    const nowMs = this.deps.clock.monotonicMs();
    const batch = this.#late.splice(0, LATE_BATCH_SIZE);
    const results = await Promise.allSettled(
      batch.map(({ record, sinceMs }) => {
        const detail = { ...record.detail, lateMs: String(Math.round(nowMs - sinceMs)) };
        return this.#append({ record: { ...record, detail } });
      }),
    );
    const again: Late[] = [];
    for (const [at, late] of batch.entries()) {
      const result = results[at];
      if (result?.status === 'fulfilled') late.resolve(result.value);
      else if (isOfTheRecord(result?.reason)) late.resolve(this.#giveUp(late.record, result?.reason));
      else again.push(late);
    }
    if (again.length === 0) return;
    this.#late.unshift(...again);
    throw new Error('the journal failed again');
  }
}

/** What the journal refuses whatever the disk is like. */
const isOfTheRecord = (error: unknown): boolean =>
  isSparcError(error, 'ERR_LEDGER_RACE_LOST') || isSparcError(error, 'ERR_LEDGER_MALFORMED');

export const codeOf = (error: unknown): string => (isSparcError(error) ? error.code : 'ERR_GATEWAY_INTERNAL');
