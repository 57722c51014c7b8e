import { isSparcError, SparcError, type ErrorCode } from '@sparc/protocol/errors';
import { PASSING_EVENTS, type EventOf, type EventRecord } from '@sparc/protocol/events';
import { HLC_ZERO, mergeHlc, nextHlc, type Hlc } from '@sparc/protocol/hlc';
import {
  encodeEvent,
  EntryContent,
  EPOCH_KIND,
  EpochBody,
  EVENT_KIND,
  hashEntry,
  NO_HASH,
  sameBytes,
  signHead,
  type ChainedEntry,
  type EpochId,
  type LedgerCrypto,
  type Position,
  type SignedHead,
} from '@sparc/protocol/ledger';
import type {
  AppendedEntry,
  Clock,
  EntryDraft,
  Journal,
  LogStore,
  LogTail,
  Random,
  Signer,
  Timer,
  WallTime,
} from '@sparc/protocol/ports';
import { Turns } from '../clock/index.js';
import { toHex } from '../platform/index.js';
import { checkedTail, lossBehindWitness, type JournalLoss, type JournalStartReport } from './journal-start.js';
import {
  decodeState,
  EMPTY_STATE,
  encodeState,
  foldRecord,
  revocationNumber,
  type JournalState,
} from './journal-state.js';
import { toLoggedEntry, type LoggedEntry } from './logged-entry.js';

/** Entries that wait for the disk; more are refused, and counted in a `journal.gap`. */
export const JOURNAL_QUEUE_MAX = 4096;
/** Entries under one head and one flush. */
const COMMIT_ENTRIES_MAX = 256;
/** Of their bodies, beyond which no further one is added: a commit goes over the mesh in one message. */
const COMMIT_BYTES = 262_144;
/** Starts that a set-back disk may have forgotten; a counter that is further ahead is not gone above, or whoever has the key could exhaust it. */
export const EPOCHS_AHEAD_MAX = 65_536;
/** Epochs that are opened above another branch: with a cloned key both would else go above each other for ever. */
export const EPOCHS_ABOVE_MAX = 16;
export const EPOCH_ABOVE_PAUSE_MS = 3_600_000;
/** A disk that refused is tried again this often, even when nothing is appended. */
const RETRY_MS = 5_000;

export interface JournalWriterDeps {
  readonly store: LogStore;
  readonly signer: Signer;
  readonly clock: Clock;
  readonly random: Random;
  readonly crypto: LedgerCrypto;
}

export interface JournalWriterOptions {
  /** Id of the site file; empty before there is one. */
  readonly siteId: string;
  readonly queueMax?: number;
  /** The newest head that is known from outside of the store. */
  readonly witness?: SignedHead;
  /** The database before this one was damaged and is no longer read. */
  readonly loss?: JournalLoss;
}

export interface JournalWriterHandlers {
  /** After each commit. */
  onHead(head: SignedHead): void;
  /** The disk refuses, or takes entries again. */
  onWritable(writable: boolean, error?: SparcError): void;
  /** The store cannot be used any more (damaged, or another process writes to it); the writer has stopped. */
  onFatal(error: SparcError): void;
}

interface Waiting {
  readonly draft: EntryDraft;
  readonly body: Uint8Array;
  readonly wall: WallTime;
  resolve(entry: AppendedEntry): void;
  reject(error: SparcError): void;
}

/** Records that could not be written since the last one that was. */
interface Gap {
  readonly lost: number;
  readonly code: ErrorCode;
  readonly sinceUnixMs: number;
}

/** One commit in the making. */
interface Assembly {
  readonly entries: ChainedEntry[];
  readonly appended: { readonly waiting: Waiting; readonly entry: AppendedEntry }[];
  state: JournalState;
}

/**
 * The author of a gateway's own log: gives each record its place, closes each group of them by a signed head, and says
 * so when both are on disk. Whatever waits while a commit is on its way goes into the next one.
 */
export class JournalWriter implements Journal {
  readonly #deps: JournalWriterDeps;
  readonly #options: JournalWriterOptions;
  readonly #handlers: JournalWriterHandlers;
  readonly #author: string;
  readonly #queue: Waiting[] = [];
  #epoch: EpochId = { counter: 0, random: new Uint8Array(8) };
  /** The first entry of the epoch, until it is on disk. */
  #opening:
    { readonly body: Uint8Array; readonly wall: WallTime; readonly notice: EventRecord | undefined } | undefined;
  /** The newest epoch of another branch, as far as that is gone above. */
  #above = 0;
  readonly #turnsAbove: Turns;
  /** Of the last commit of this run. */
  #head: SignedHead | undefined;
  #sequence = 0;
  #hash: Uint8Array = NO_HASH;
  #hlc: Hlc = HLC_ZERO;
  #state: JournalState = EMPTY_STATE;
  /** The newest `policy.loaded` that was handed over, on disk or lost: a full disk must not refuse what follows it. */
  #policyRevision: string | undefined;
  /** As above, of revocations. */
  #newestRevocation = 0;
  #gap: Gap | undefined;
  #running: Promise<void> | undefined;
  #retry: Timer | undefined;
  #writable = true;
  #accepting = false;

  constructor(deps: JournalWriterDeps, options: JournalWriterOptions, handlers: Partial<JournalWriterHandlers> = {}) {
    this.#deps = deps;
    this.#options = options;
    this.#handlers = { onHead: () => {}, onWritable: () => {}, onFatal: () => {}, ...handlers };
    this.#author = toHex(deps.signer.publicKey);
    this.#turnsAbove = new Turns(deps.clock, EPOCHS_ABOVE_MAX, EPOCH_ABOVE_PAUSE_MS);
  }

  /** Checks the tail and opens a new epoch. Throws ERR_LEDGER_CORRUPT or ERR_LEDGER_AUTHOR_MISMATCH. */
  async start(): Promise<JournalStartReport> {
    const { store, signer, clock, random, crypto } = this.#deps;
    const witness = this.#witness();
    const tail = checkedTail(store, crypto, signer.publicKey);
    const previous = tail?.head ?? witness;
    const loss = this.#options.loss ?? lossBehindWitness(tail, witness);
    const counter = Math.max(tail?.head.epoch.counter ?? 0, witness?.epoch.counter ?? 0) + 1;
    this.#epoch = { counter, random: random.bytes(8) };
    this.#hash = previous?.hash ?? NO_HASH;
    this.#hlc = tail === undefined ? HLC_ZERO : lastHlc(store, tail);
    this.#state = tail === undefined ? EMPTY_STATE : decodeState(tail.recovery);
    this.#policyRevision = this.#state.policyRevision;
    this.#newestRevocation = this.#state.newestRevocation ?? 0;
    const openGrants = this.#entriesAt(this.#state.openGrants);
    const releasedGrants = this.#entriesAt(this.#state.releasedGrants);
    this.#opening = {
      body: EpochBody.encode({
        ...(previous !== undefined && { previous }),
        predecessorLost: tail === undefined && loss !== undefined,
      }),
      wall: clock.wall(),
      notice: loss && gapRecord(loss.code, { lost: 'unknown', cause: loss.message }),
    };
    this.#accepting = true;
    await this.#wake();
    return {
      epoch: this.#epoch,
      openGrants,
      releasedGrants,
      ...(this.#policyRevision !== undefined && { policyRevision: this.#policyRevision }),
      newestRevocation: this.#newestRevocation,
      writable: this.#writable,
      ...(loss !== undefined && { loss }),
    };
  }

  /** `wall` is the time of the event, where it is not the time of the call. */
  append(draft: EntryDraft, wall: WallTime = this.#deps.clock.wall()): Promise<AppendedEntry> {
    return new Promise((resolve, reject) => {
      if (!this.#accepting) return reject(new SparcError('ERR_LEDGER_STOPPED', 'the journal is not running'));
      const queueMax = this.#options.queueMax ?? JOURNAL_QUEUE_MAX;
      if (this.#queue.length >= queueMax) {
        this.countLost(1, 'ERR_LEDGER_QUEUE_FULL', wall.unixMs);
        return reject(new SparcError('ERR_LEDGER_QUEUE_FULL', `${queueMax} entries wait for the disk`));
      }
      this.#queue.push({ draft, body: this.#encode(draft.record, wall), wall, resolve, reject });
      void this.#wake();
    });
  }

  /** `wall` is the time at which it was heard, where it is not the time of the call. */
  observe(hlc: Hlc, wall: WallTime = this.#deps.clock.wall()): void {
    this.#hlc = mergeHlc(this.#hlc, hlc, wall.unixMs);
  }

  openEpochAbove(counter: number): void {
    const aheadCount = counter - Math.max(this.#epoch.counter, this.#above + 1);
    if (!this.#accepting || aheadCount < 0 || aheadCount > EPOCHS_AHEAD_MAX || !this.#turnsAbove.take()) return;
    this.#above = counter;
    void this.#wake();
  }

  /** Records that were dropped on their way here; the next commit says so in a `journal.gap`. */
  countLost(count: number, code: ErrorCode, sinceUnixMs: number): void {
    const { lost, ...first } = this.#gap ?? { lost: 0, code, sinceUnixMs };
    this.#gap = { ...first, lost: lost + count };
  }

  /** Writes what waits, then refuses. Idempotent. */
  async stop(): Promise<void> {
    this.#accepting = false;
    this.#retry?.cancel();
    await this.#wake();
  }

  /** A head of another key says nothing of this log. */
  #witness(): SignedHead | undefined {
    const { witness } = this.#options;
    return witness && sameBytes(witness.author, this.#deps.signer.publicKey) ? witness : undefined;
  }

  #encode(record: EventRecord, wall: WallTime): Uint8Array {
    try {
      return encodeEvent(record);
    } catch (error) {
      this.countLost(1, 'ERR_LEDGER_MALFORMED', wall.unixMs);
      throw error;
    }
  }

  #entriesAt(positions: readonly Position[]): readonly LoggedEntry[] {
    const { store, signer } = this.#deps;
    return positions.flatMap(({ epoch, sequence }) =>
      store.entries({ epoch, sequence: sequence - 1 }, 1).map((entry) => toLoggedEntry(signer.publicKey, entry)),
    );
  }

  #wake(): Promise<void> {
    this.#running ??= this.#run();
    return this.#running;
  }

  async #run(): Promise<void> {
    try {
      // One turn, so that entries that come together share a flush; and one after it, so that those who wait hear of
      // their entries before the disk is taken for anything else.
      do {
        await Promise.resolve();
        await this.#commitNext();
        await Promise.resolve();
      } while (this.#queue.length > 0 || this.#isOvertaken);
      if (this.#writable) this.#deps.store.rest();
    } finally {
      this.#running = undefined;
    }
  }

  get #isOvertaken(): boolean {
    return this.#above >= this.#epoch.counter;
  }

  #goAbove(): void {
    const { random, clock } = this.#deps;
    this.#epoch = { counter: this.#above + 1, random: random.bytes(8) };
    // Of an epoch that is on no disk yet only the name changes.
    if (this.#opening !== undefined) return;
    this.#opening = {
      body: EpochBody.encode({ ...(this.#head && { previous: this.#head }), predecessorLost: false }),
      wall: clock.wall(),
      notice: undefined,
    };
    this.#sequence = 0;
  }

  /** Nothing waits for a commit, and none is under way. */
  get isIdle(): boolean {
    return this.#running === undefined;
  }

  async #commitNext(): Promise<void> {
    if (this.#isOvertaken) this.#goAbove();
    const group = this.#queue.splice(0, this.#groupSize());
    const gap = this.#gap;
    const assembly = this.#assemble(group, gap);
    const last = assembly.entries.at(-1);
    if (last === undefined) return;
    const { store, signer } = this.#deps;
    const place = { site: this.#options.siteId, author: signer.publicKey, epoch: this.#epoch };
    const head = signHead(signer, { ...place, sequence: last.sequence, hash: last.hash });
    try {
      await store.commit({ entries: assembly.entries, head, recovery: encodeState(assembly.state) });
    } catch (error) {
      return this.#refuse(assembly, error);
    }
    this.#head = head;
    this.#sequence = last.sequence;
    this.#hash = last.hash;
    this.#state = assembly.state;
    this.#opening = undefined;
    // What was lost meanwhile has its own gap.
    if (gap !== undefined && this.#gap !== undefined) {
      const lost = this.#gap.lost - gap.lost;
      this.#gap = lost > 0 ? { ...this.#gap, lost } : undefined;
    }
    for (const { waiting, entry } of assembly.appended) waiting.resolve(entry);
    this.#handlers.onHead(head);
    this.#setWritable(true);
  }

  #groupSize(): number {
    let sizeBytes = 0;
    const size = this.#queue.findIndex(
      ({ body }, index) => index >= COMMIT_ENTRIES_MAX || (index > 0 && (sizeBytes += body.length) > COMMIT_BYTES),
    );
    return size < 0 ? this.#queue.length : size;
  }

  #assemble(group: readonly Waiting[], gap: Gap | undefined): Assembly {
    const assembly: Assembly = { entries: [], appended: [], state: this.#state };
    const opening = this.#opening;
    if (opening !== undefined) {
      this.#add(assembly, { kind: EPOCH_KIND, body: opening.body }, opening.wall);
      if (opening.notice !== undefined) this.#addRecord(assembly, opening.notice, opening.wall);
    }
    if (gap !== undefined) {
      // Refused, not lost: whoever handed them over was told, and may have kept them.
      const detail = { refused: String(gap.lost), sinceUnixMs: String(gap.sinceUnixMs) };
      this.#addRecord(assembly, gapRecord(gap.code, detail), this.#deps.clock.wall());
    }
    for (const waiting of group) {
      const { record, expectedPolicyRevision, seenRevocation = Infinity } = waiting.draft;
      if (expectedPolicyRevision !== undefined && expectedPolicyRevision !== this.#policyRevision) {
        waiting.reject(raceLost(expectedPolicyRevision, this.#policyRevision));
        continue;
      }
      if (seenRevocation < this.#newestRevocation) {
        waiting.reject(revokedMeanwhile(seenRevocation, this.#newestRevocation));
        continue;
      }
      this.#newestRevocation = Math.max(this.#newestRevocation, revocationNumber(record) ?? 0);
      if (record.name === 'policy.loaded') this.#policyRevision = record.detail?.['revision'] ?? this.#policyRevision;
      const { sequence } = this.#addRecord(assembly, record, waiting.wall, waiting.body);
      const { unixMs, quality } = waiting.wall;
      const id = { author: this.#author, epoch: this.#epoch.counter, sequence };
      const entry = { id, hlc: this.#hlc, wallUnixMs: unixMs, timeQuality: quality, record };
      assembly.appended.push({ waiting, entry });
    }
    return assembly;
  }

  #addRecord(assembly: Assembly, record: EventRecord, wall: WallTime, body = encodeEvent(record)): ChainedEntry {
    const passing = PASSING_EVENTS.has(record.name);
    const entry = this.#add(assembly, { kind: EVENT_KIND, body, ...(passing && { passing }) }, wall);
    const at = { epoch: this.#epoch.counter, sequence: entry.sequence };
    assembly.state = foldRecord(assembly.state, at, record);
    return entry;
  }

  #add({ entries }: Assembly, said: Pick<EntryContent, 'kind' | 'body' | 'passing'>, wall: WallTime): ChainedEntry {
    this.#hlc = nextHlc(this.#hlc, wall.unixMs);
    const content = EntryContent.encode({
      ...said,
      hlc: this.#hlc,
      wallUnixMs: wall.unixMs,
      timeQuality: wall.quality,
    });
    const last = entries.at(-1) ?? { sequence: this.#sequence, hash: this.#hash };
    const place = {
      author: this.#deps.signer.publicKey,
      epoch: this.#epoch,
      sequence: last.sequence + 1,
      previousHash: last.hash,
    };
    const hash = hashEntry(this.#deps.crypto, place, content);
    const entry = { epoch: place.epoch, sequence: place.sequence, hash, content };
    entries.push(entry);
    return entry;
  }

  /** Nothing of a refused commit is in the log, so its sequences are free for the next. */
  #refuse({ appended }: Assembly, cause: unknown): void {
    const error = isSparcError(cause, 'ERR_LEDGER_WRITE_FAILED')
      ? cause
      : new SparcError('ERR_LEDGER_WRITE_FAILED', 'the journal cannot write', {}, { cause });
    const [first] = appended;
    if (first !== undefined) this.countLost(appended.length, error.code, first.entry.wallUnixMs);
    for (const { waiting } of appended) waiting.reject(error);
    if (cause !== error) {
      this.#accepting = false;
      for (const waiting of this.#queue.splice(0)) waiting.reject(error);
      this.#handlers.onFatal(isSparcError(cause) ? cause : error);
      return;
    }
    this.#setWritable(false, error);
    this.#retry?.cancel();
    if (this.#accepting) this.#retry = this.#deps.clock.setTimer(RETRY_MS, () => void this.#wake());
  }

  #setWritable(writable: boolean, error?: SparcError): void {
    if (this.#writable === writable) return;
    this.#writable = writable;
    if (writable) this.#retry?.cancel();
    this.#handlers.onWritable(writable, error);
  }
}

const gapRecord = (code: string, detail: NonNullable<EventOf<'journal.gap'>['detail']>): EventOf<'journal.gap'> => ({
  name: 'journal.gap',
  code,
  detail,
});

const raceLost = (expected: string, actual: string | undefined) =>
  new SparcError('ERR_LEDGER_RACE_LOST', `policy ${expected} was decided on, ${actual ?? 'none'} is in force`);

const revokedMeanwhile = (seen: number, newest: number) =>
  new SparcError('ERR_LEDGER_RACE_LOST', `revocation ${seen} was the newest that was seen, ${newest} is recorded`);

function lastHlc(store: LogStore, { head }: LogTail): Hlc {
  const [last] = store.entries({ epoch: head.epoch.counter, sequence: head.sequence - 1 }, 1);
  return last === undefined ? HLC_ZERO : EntryContent.decode(last.content).hlc;
}
