import { isSparcError, SparcError } from '@sparc/protocol/errors';
import { isSignatureValid, malformed, type Batch, type SignedHead } from '@sparc/protocol/ledger';
import type { Clock, MeshNetwork, Timer } from '@sparc/protocol/ports';
import {
  alteredBy,
  attestedLog,
  disowned,
  Heads,
  holds,
  isHeld,
  isOfSite,
  isSaid,
  isSameTip,
  mayLead,
  nextDeadlineMs,
  nothingHeld,
  step,
  tipsByAuthor,
  TIPS_MAX,
  type AuthorLog,
  type HashAt,
  type HeadsInput,
  type ReplicationEffect,
  type ReplicationInput,
  type ReplicationState,
} from '@sparc/protocol/replication';
import { Credits } from '../mesh/pace.js';
import { toHex } from '../platform/index.js';
import type { ReadableLogs } from './author-entries.js';
import { isLastResort } from './emptied-early.js';
import { Inbox, type Letter } from './inbox.js';
import type { Intake } from './intake.js';
import { LogFetches } from './log-fetches.js';
import { LogServer } from './log-server.js';
import { WholeOwnLog, type OwnLog } from './own-log.js';
import type { FullReason } from './replica-room.js';
import { ReplicaWriter, type ReplicaWriterDeps } from './replica-writer.js';
import { REQUEST_WORK, WORK_PACE } from './work-pace.js';

export interface ReplicatorDeps extends ReplicaWriterDeps {
  readonly clock: Clock;
  readonly network: MeshNetwork;
  readonly ownLog: OwnLog;
  /** Whose logs are kept, by public key in hex. */
  isAuthor(author: string): boolean;
  /** Whether it lacks bodies that nobody may have done away with yet. */
  hasEmptiedEarly(batch: Batch): boolean;
  /** A log grew; what is new is on disk. */
  onStored(author: string): void;
  onFailure(error: unknown, what: string): void;
}

/** What neighbours pushed of one author. */
interface Pushed {
  readonly intake: Intake;
  /** What of it was not held. */
  readonly news: Batch[];
}

const WRITE_TROUBLE = 'the logs could not be read or written';

/** Holds replicas of the logs of all authors of the site, and lets neighbours have them. */
export class Replicator {
  #state: ReplicationState;
  #timer: { readonly atMs: number; readonly timer: Timer } | undefined;
  /** With what only replicas have of it. */
  readonly #own: WholeOwnLog;
  readonly #writer: ReplicaWriter;
  readonly #fetches: LogFetches;
  readonly #server: LogServer;
  /** What each neighbour may still make this one do. */
  readonly #work: Credits;
  readonly #inbox: Inbox;
  #stopped = false;

  constructor(private readonly deps: ReplicatorDeps) {
    this.#state = nothingHeld(deps.ownLog.author, deps.authority);
    this.#writer = new ReplicaWriter(deps);
    this.#work = new Credits(deps.clock, WORK_PACE);
    this.#inbox = new Inbox({
      clock: deps.clock,
      work: this.#work,
      tips: (neighbour) => this.#state.neighbours.get(neighbour)?.tips,
      read: (letters) => this.#read(letters),
      onMalformed: (neighbour, error) => this.#failed(neighbour, error),
    });
    this.#own = new WholeOwnLog(deps.ownLog, deps.store);
    this.#server = new LogServer({ ...deps, ownLog: this.#own }, (author) => this.#counted(author));
    this.#fetches = new LogFetches(deps, {
      intake: (author) => this.#writer.intake(author),
      save: (intake) => !this.#stopped && this.#save(intake),
      isRefused: (batch) => deps.hasEmptiedEarly(batch) && !isLastResort(this.#state, batch),
      isAhead: (neighbour, author) => this.#state.ahead.get(author)?.has(neighbour) === true,
      onProgress: (author, sizeBytes) => this.#step({ kind: 'progress', author, sizeBytes }),
      onFetched: (neighbour, author) => this.#step({ kind: 'fetched', neighbour, author }),
      onFailure: (neighbour, error) => this.#failed(neighbour, error),
    });
  }

  async start(): Promise<void> {
    const { network, store, ownLog } = this.deps;
    this.#writer.start();
    for (const author of store.logs().keys()) this.#step({ kind: 'stored', author, log: this.#counted(author) });
    this.#step({ kind: 'stored', author: ownLog.author, log: this.#own.log() });
    await network.start({
      onConnected: (neighbour) => this.#step({ kind: 'connected', neighbour }),
      onDisconnected: (neighbour) => {
        this.#inbox.forget(neighbour);
        this.#step({ kind: 'disconnected', neighbour });
      },
      onMessage: (neighbour, message) => this.#inbox.add(neighbour, message),
      serve: (neighbour, request) => this.#serve(neighbour, request),
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.timer.cancel();
    this.#inbox.stop();
    this.#fetches.stop();
    await this.deps.network.stop();
  }

  /** What is known of all logs and neighbours, to be shown. */
  get state(): ReplicationState {
    return this.#state;
  }

  /** As far as they count, the own one with what a disk that was set back has lost of it. */
  readonly logs: ReadableLogs = {
    logs: () => this.#state.logs,
    batchAfter: (author, after) =>
      author === this.#own.author ? this.#own.batchAfter(after) : this.deps.store.batchAfter(author, after),
  };

  /** Authors of whom no more is taken, and why. Whoever's entries could not be written is tried again. */
  get full(): ReadonlyMap<string, FullReason> {
    return this.#writer.full;
  }

  /** The own log grew. `batch`: all that is new, where it is little. */
  ownCommitted(batch?: Batch): void {
    const { author } = this.#own;
    this.#step({ kind: 'stored', author, log: this.#own.log(), pushed: batch === undefined ? [] : [batch] });
  }

  /** There is a newer roster: of whoever it expels, only what it attests is spoken of from now on. */
  membersChanged(): void {
    for (const author of this.deps.store.logs().keys()) {
      if (this.deps.attestedHeads(author) === undefined) continue;
      this.#step({ kind: 'stored', author, log: this.#counted(author) });
    }
    for (const [neighbour, { tips }] of this.#state.neighbours) {
      const counted = new Map<string, readonly SignedHead[]>();
      for (const [author, said] of tips) {
        const those = said.filter((tip) => this.#counts(author, tip));
        if (those.length > 0) counted.set(author, those);
      }
      this.#step({ kind: 'heads', neighbour, tips: counted, complete: true });
    }
  }

  #step(...inputs: readonly ReplicationInput[]): void {
    if (this.#stopped) return;
    const { clock } = this.deps;
    const nowMs = clock.monotonicMs();
    const { state, effects } = step(this.#state, nowMs, ...inputs);
    this.#state = state;
    // Many neighbours are told the same.
    const messages = new Map<Heads, Uint8Array>();
    for (const effect of effects) this.#execute(effect, messages);
    this.#wakeAt(nextDeadlineMs(this.#state, nowMs), nowMs);
  }

  #wakeAt(atMs: number, nowMs: number): void {
    if (this.#timer?.atMs === atMs) return;
    this.#timer?.timer.cancel();
    const wake = () => {
      this.#timer = undefined;
      this.#step({ kind: 'time' });
    };
    this.#timer = { atMs, timer: this.deps.clock.setTimer(Math.max(0, atMs - nowMs), wake) };
  }

  #execute(effect: ReplicationEffect, messages: Map<Heads, Uint8Array>): void {
    switch (effect.kind) {
      case 'send': {
        const message = messages.get(effect.heads) ?? Heads.encode(effect.heads);
        messages.set(effect.heads, message);
        this.deps.network.send(effect.neighbour, message);
        break;
      }
      case 'fetch':
        void this.#fetches.fetch(effect.neighbour, effect.author);
        break;
      case 'giveUp':
        this.#fetches.giveUp(effect.author);
        break;
    }
  }

  /** What letters bring is one write. */
  #read(letters: readonly Letter[]): void {
    const pushed = new Map<string, Pushed>();
    const sound = letters.filter(({ neighbour, heads }) => this.#takePushed(neighbour, pushed, heads));
    const stored = this.#writePushed([...pushed.values()]);
    const heard = sound.flatMap((letter) => this.#heads(letter) ?? []);
    // In one step, so that nobody is pushed what it has pushed itself.
    this.#step(
      ...stored.map(({ intake, news }) => ({ ...this.#stored(intake.author), pushed: news })),
      ...heard.map(({ input }) => input),
    );
    for (const { intake } of stored) this.deps.onStored(intake.author);
    for (const { letter, isWhole } of heard) this.#inbox.heard(letter, isWhole);
  }

  /** What of it is on disk now, and was not before. */
  #writePushed(pushed: readonly Pushed[]): readonly Pushed[] {
    try {
      const grown = this.#writer.write(pushed.map(({ intake }) => intake));
      return pushed.filter(({ intake }) => grown.includes(intake));
    } catch (error) {
      this.deps.onFailure(error, WRITE_TROUBLE);
      return [];
    }
  }

  /** Undefined where it breaks the rules. `isWhole`: it would change nothing if it came again. */
  #heads(letter: Letter): { letter: Letter; input: HeadsInput; isWhole: boolean } | undefined {
    const { neighbour, heads } = letter;
    const { complete, neighbours, pushed } = heads;
    try {
      const tips = new Map<string, readonly SignedHead[]>();
      let isWhole = pushed.length === 0;
      for (const [author, said] of tipsByAuthor(heads.tips)) {
        if (said.length > TIPS_MAX) throw malformed(`more than ${TIPS_MAX} tips of ${author}`);
        const known = this.#state.neighbours.get(neighbour)?.tips.get(author) ?? [];
        // It counts as it did: what does not any more was taken away when the members changed.
        const those = isSaid(known, said) ? known : said.filter((tip) => this.#isOurs(neighbour, author, tip));
        if (those.length > 0) tips.set(author, those);
        isWhole &&= those.length === said.length;
      }
      // Of the own log a neighbour may have been given more than was told of here.
      const ownKnown = this.#state.logs.get(this.#own.author) ?? [];
      if (tips.get(this.#own.author)?.some((tip) => !holds(ownKnown, tip)) === true) this.ownCommitted();
      return { letter, input: { kind: 'heads', neighbour, tips, complete, neighbours, pushed }, isWhole };
    } catch (error) {
      this.#failed(neighbour, error);
      return undefined;
    }
  }

  /**
   * A batch that was not asked for. Says how many of its entries are new: none where it is of no author of the site, or where
   * there is no room for it. Throws ERR_LEDGER_ENTRY_MISSING where it follows on what is not held, and what proves it wrong.
   */
  offer(batch: Batch): number {
    const author = toHex(batch.author);
    if (!this.deps.isAuthor(author) || (author === this.#own.author && this.#own.has(batch))) return 0;
    if (author === this.#own.author) for (const written of this.#own.notStored()) this.#take(author, written);
    return this.#take(author, batch);
  }

  #take(author: string, batch: Batch): number {
    const intake = this.#writer.intake(author);
    if (intake === undefined) return 0;
    intake.add(batch);
    this.#save(intake);
    return intake.appends.reduce((count, { entries }) => count + entries.length, 0);
  }

  /** What does not follow on what is held is fetched. False where something breaks the rules. */
  #takePushed(neighbour: string, pushed: Map<string, Pushed>, heads: Heads): boolean {
    try {
      for (const batch of heads.pushed) this.#takeBatch(pushed, batch);
      return true;
    } catch (error) {
      this.#failed(neighbour, error);
      return false;
    }
  }

  #takeBatch(pushed: Map<string, Pushed>, batch: Batch): void {
    const author = toHex(batch.author);
    if (author === this.#own.author || !this.deps.isAuthor(author) || this.deps.hasEmptiedEarly(batch)) return;
    const intake = pushed.get(author)?.intake ?? this.#writer.intake(author);
    if (intake === undefined) return;
    const news = pushed.get(author)?.news ?? [];
    pushed.set(author, { intake, news });
    try {
      // Of whoever was expelled only what counts is taken, and nothing is passed on as it came.
      if (intake.add(batch) && this.deps.attestedHeads(author) === undefined) news.push(batch);
    } catch (error) {
      if (!isSparcError(error, 'ERR_LEDGER_ENTRY_MISSING')) throw error;
    }
  }

  /** Tips of authors that are not known here say nothing: the neighbour's roster may be newer. */
  #isOurs(neighbour: string, author: string, tip: SignedHead): boolean {
    const { siteId, crypto, store, ownLog } = this.deps;
    if (!isOfSite(tip.site, siteId) || !this.#counts(author, tip)) return false;
    const said = this.#state.neighbours.get(neighbour)?.tips.get(author) ?? [];
    const log = this.#counted(author);
    const hashAt: HashAt =
      author === ownLog.author
        ? (epoch, sequence) => this.#own.hashAt(epoch, sequence)
        : (epoch, sequence) => store.hashAt(author, epoch, sequence);
    if (said.some((head) => isSameTip(head, tip)) || isHeld(log, hashAt, tip)) return true;
    this.#work.spend(neighbour, 1);
    if (!isSignatureValid(crypto, tip)) {
      throw new SparcError('ERR_LEDGER_SIGNATURE_INVALID', `a tip of ${author} is not signed by it`);
    }
    const fork = author === ownLog.author ? disowned(ownLog.log(), hashAt, tip) : alteredBy(log, hashAt, tip);
    if (fork !== undefined) this.#writer.writeFork(fork);
    return true;
  }

  /** Whether it is of an author of the site and, where that was expelled, may lead to what was attested of it. */
  #counts(author: string, tip: SignedHead): boolean {
    if (!this.deps.isAuthor(author)) return false;
    const attested = this.deps.attestedHeads(author);
    return attested === undefined || mayLead(this.deps.store.logs().get(author) ?? [], attested, tip);
  }

  /** What is held of an author, as far as it counts. */
  #counted(author: string): AuthorLog {
    const { store } = this.deps;
    if (author === this.#own.author) return this.#own.log();
    const log = store.logs().get(author) ?? [];
    const attested = this.deps.attestedHeads(author);
    return attested === undefined
      ? log
      : attestedLog(log, attested, (epoch, sequence) => store.hashAt(author, epoch, sequence));
  }

  /** On disk before it is announced. False where nothing of it is new. */
  #save(intake: Intake): boolean {
    const grown = this.#writer.write([intake]);
    for (const { author } of grown) {
      this.#step(this.#stored(author));
      this.deps.onStored(author);
    }
    return grown.length > 0;
  }

  #stored(author: string): Extract<ReplicationInput, { kind: 'stored' }> {
    return { kind: 'stored', author, log: this.#counted(author) };
  }

  *#serve(neighbour: string, request: Uint8Array): Iterable<Uint8Array> {
    if (!this.#work.take(neighbour, REQUEST_WORK)) return;
    try {
      yield* this.#server.serve(request);
    } catch (error) {
      this.#failed(neighbour, error);
    }
  }

  /** What goes wrong with a neighbour's bytes is the neighbour's doing, unless it is our disk's. */
  #failed(neighbour: string, error: unknown): void {
    const isOurs =
      !isSparcError(error) || error.code === 'ERR_LEDGER_WRITE_FAILED' || error.code === 'ERR_LEDGER_CORRUPT';
    if (isOurs) this.deps.onFailure(error, WRITE_TROUBLE);
    else this.deps.network.refuse(neighbour, error.message);
  }
}
