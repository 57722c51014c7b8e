import { isSparcError, SparcError } from '@sparc/protocol/errors';
import {
  decodeBatch,
  encodeBatch,
  isSignatureValid,
  malformed,
  sameBytes,
  type Batch,
  type EpochId,
  type LedgerCrypto,
  type SignedHead,
} from '@sparc/protocol/ledger';
import type { Clock, MeshNetwork, MeshReply, ReplicaAppend, ReplicaStore, Timer } from '@sparc/protocol/ports';
import {
  accept,
  alteredBy,
  attestedLog,
  attestedPart,
  disowned,
  endsOf,
  forkName,
  Heads,
  holds,
  holdersOf,
  isSameEpoch,
  mayLead,
  MeshRequest,
  missingAfter,
  nextDeadlineMs,
  nothingHeld,
  step,
  type AuthorLog,
  type EpochEnd,
  type Fork,
  type ReplicationEffect,
  type ReplicationInput,
  type ReplicationState,
} from '@sparc/protocol/replication';

/** The log of this gateway, whose only writer is its journal. */
export interface OwnLog {
  /** In hex. */
  readonly author: string;
  log(): AuthorLog;
  hashAt(epoch: EpochId, sequence: number): Uint8Array | undefined;
  batchAfter(after: EpochEnd): Batch | undefined;
}

export interface ReplicatorDeps {
  readonly clock: Clock;
  readonly crypto: LedgerCrypto;
  readonly network: MeshNetwork;
  readonly store: ReplicaStore;
  readonly ownLog: OwnLog;
  readonly siteId: string;
  /** Whose logs are kept, by public key in hex. */
  isAuthor(author: string): boolean;
  /** Of an author who was expelled: the heads to which all leads that still counts of its log. */
  attestedHeads(author: string): readonly SignedHead[] | undefined;
  /** A log grew; what is new is on disk. */
  onStored(author: string): void;
  /** Once for each fork, also over starts; it is on disk. */
  onFork(fork: Fork): void;
  onFailure(error: unknown, what: string): void;
}

/** Of one answer; whoever asked asks again for the rest, so that it never has to take more than this at once. */
export const REPLY_BYTES_MAX = 1_048_576;
/** Of one author; more are not recorded, they say nothing new. */
const FORKS_MAX = 64;

interface Fetch {
  reply: MeshReply | undefined;
}

/** Holds replicas of the logs of all authors of the site, and lets neighbours have them. */
export class Replicator {
  #state: ReplicationState;
  #timer: Timer | undefined;
  readonly #fetches = new Map<string, Fetch>();
  /** Names of those on disk, by author. */
  readonly #forks = new Map<string, Set<string>>();
  #stopped = false;

  constructor(private readonly deps: ReplicatorDeps) {
    this.#state = nothingHeld(deps.ownLog.author);
  }

  async start(): Promise<void> {
    const { network, store, ownLog } = this.deps;
    for (const fork of store.forks()) this.#forksOf(toHex(fork.first.author)).add(forkName(fork));
    for (const author of store.logs().keys()) this.#step({ kind: 'stored', author, log: this.#counted(author) });
    this.#step({ kind: 'stored', author: ownLog.author, log: ownLog.log() });
    await network.start({
      onConnected: (neighbour) => this.#step({ kind: 'connected', neighbour }),
      onDisconnected: (neighbour) => this.#step({ kind: 'disconnected', neighbour }),
      onMessage: (neighbour, message) => this.#onMessage(neighbour, message),
      serve: (neighbour, request) => this.#serve(neighbour, request),
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    for (const { reply } of this.#fetches.values()) reply?.cancel();
    this.#fetches.clear();
    await this.deps.network.stop();
  }

  /** What is known of all logs and neighbours, to be shown. */
  get state(): ReplicationState {
    return this.#state;
  }

  /** The own log grew. `batch`: all that is new, where it is little. */
  ownCommitted(batch?: Batch): void {
    const { ownLog } = this.deps;
    this.#step({ kind: 'stored', author: ownLog.author, log: ownLog.log(), ...(batch !== undefined && { batch }) });
  }

  /** There is a newer roster: of whoever it expels, only what it attests is spoken of from now on. */
  membersChanged(): void {
    for (const author of this.deps.store.logs().keys()) {
      if (this.deps.attestedHeads(author) === undefined) continue;
      this.#step({ kind: 'stored', author, log: this.#counted(author) });
    }
    for (const [neighbour, { tips }] of this.#state.neighbours) {
      const counted = [...tips.values()].flat().filter((tip) => this.#counts(tip));
      this.#step({ kind: 'heads', neighbour, heads: { tips: counted, complete: true } });
    }
  }

  /** Neighbours that have said that all up to a head is on their disk. */
  holdersOf(head: SignedHead): readonly string[] {
    return holdersOf(this.#state, head);
  }

  #step(input: ReplicationInput): void {
    if (this.#stopped) return;
    const { clock } = this.deps;
    const nowMs = clock.monotonicMs();
    const { state, effects } = step(this.#state, nowMs, input);
    this.#state = state;
    for (const effect of effects) this.#execute(effect);
    this.#timer?.cancel();
    const delayMs = Math.max(0, nextDeadlineMs(this.#state, nowMs) - nowMs);
    this.#timer = clock.setTimer(delayMs, () => this.#step({ kind: 'time' }));
  }

  #execute(effect: ReplicationEffect): void {
    switch (effect.kind) {
      case 'send':
        this.deps.network.send(effect.neighbour, Heads.encode(effect.heads));
        break;
      case 'fetch':
        void this.#fetch(effect.neighbour, effect.author);
        break;
      case 'giveUp':
        this.#fetches.get(effect.author)?.reply?.cancel();
        this.#fetches.delete(effect.author);
        break;
    }
  }

  #onMessage(neighbour: string, message: Uint8Array): void {
    try {
      const { tips, complete, pushed } = Heads.decode(message);
      for (const batch of pushed) this.#takePushed(batch);
      const ours = tips.filter((tip) => this.#isOurs(neighbour, tip));
      this.#step({ kind: 'heads', neighbour, heads: { tips: ours, complete } });
    } catch (error) {
      this.#failed(neighbour, error);
    }
  }

  /**
   * A batch that was not asked for. False where it is of no author of the site, or of this gateway, or holds nothing new.
   * Throws ERR_LEDGER_ENTRY_MISSING where it follows on what is not held, and what proves it wrong.
   */
  offer(batch: Batch): boolean {
    const author = toHex(batch.author);
    if (author === this.deps.ownLog.author || !this.deps.isAuthor(author)) return false;
    return this.#take(batch);
  }

  /** What does not follow on what is held is fetched. */
  #takePushed(batch: Batch): void {
    try {
      this.offer(batch);
    } catch (error) {
      if (!isSparcError(error, 'ERR_LEDGER_ENTRY_MISSING')) throw error;
    }
  }

  /** Tips of authors that are not known here say nothing: the neighbour's roster may be newer. */
  #isOurs(neighbour: string, tip: SignedHead): boolean {
    const author = toHex(tip.author);
    const { siteId, crypto, store, ownLog } = this.deps;
    if (!isOfSite(tip.site, siteId) || !this.#counts(tip)) return false;
    const said = this.#state.neighbours.get(neighbour)?.tips.get(author) ?? [];
    const log = this.#state.logs.get(author) ?? [];
    const known = [...said, ...log.map(({ head }) => head)];
    if (known.some((head) => isSameHead(head, tip))) return true;
    if (!isSignatureValid(crypto, tip)) {
      throw new SparcError('ERR_LEDGER_SIGNATURE_INVALID', `a tip of ${author} is not signed by it`);
    }
    const fork =
      author === ownLog.author
        ? disowned(ownLog.log(), (epoch, sequence) => ownLog.hashAt(epoch, sequence), tip)
        : alteredBy(log, (epoch, sequence) => store.hashAt(author, epoch, sequence), tip);
    if (fork !== undefined) this.#store(author, undefined, fork);
    return true;
  }

  /** Whether it is of an author of the site and, where that was expelled, may lead to what was attested of it. */
  #counts(tip: SignedHead): boolean {
    const author = toHex(tip.author);
    if (!this.deps.isAuthor(author)) return false;
    const attested = this.deps.attestedHeads(author);
    return attested === undefined || mayLead(this.deps.store.logs().get(author) ?? [], attested, tip);
  }

  /** What is held of another author, as far as it counts. */
  #counted(author: string): AuthorLog {
    const { store } = this.deps;
    const log = store.logs().get(author) ?? [];
    const attested = this.deps.attestedHeads(author);
    return attested === undefined
      ? log
      : attestedLog(log, attested, (epoch, sequence) => store.hashAt(author, epoch, sequence));
  }

  /** One request after the other, each for what follows on the last, until nothing follows. */
  async #fetch(neighbour: string, author: string): Promise<void> {
    const fetch: Fetch = { reply: undefined };
    this.#fetches.set(author, fetch);
    const isWanted = () => this.#fetches.get(author) === fetch;
    try {
      for (let isMore = true; isMore && isWanted();) {
        isMore = false;
        fetch.reply = this.#ask(neighbour, author);
        for await (const piece of fetch.reply) {
          if (!isWanted() || !this.#takeFetched(neighbour, author, piece)) return;
          this.#step({ kind: 'progress', author });
          isMore = true;
        }
      }
    } catch {
      // The link ended, or this one request: whoever still has more is asked again.
    } finally {
      fetch.reply?.cancel();
      if (isWanted()) {
        this.#fetches.delete(author);
        this.#step({ kind: 'fetched', neighbour, author });
      }
    }
  }

  /** False where nothing was stored: then what comes behind it is of no use either. */
  #takeFetched(neighbour: string, author: string, piece: Uint8Array): boolean {
    try {
      const batch = decodeBatch(piece);
      if (toHex(batch.author) !== author) throw malformed('a batch of another author');
      return this.#take(batch);
    } catch (error) {
      // An honest neighbour may hold branches of a forked log that are not kept here.
      if (!isSparcError(error, 'ERR_LEDGER_ENTRY_MISSING')) this.#failed(neighbour, error);
      return false;
    }
  }

  #ask(neighbour: string, author: string): MeshReply {
    const { network, store, siteId } = this.deps;
    const ends = endsOf(store.logs().get(author) ?? []);
    return network.request(neighbour, MeshRequest.encode({ log: { site: siteId, author: fromHex(author), ends } }));
  }

  /** Verified before it is stored, on disk before it is announced. False where there was nothing to store. */
  #take(batch: Batch): boolean {
    const { crypto, store, siteId } = this.deps;
    if (!isOfSite(batch.site, siteId)) throw malformed(`a batch of site ${batch.site}`);
    const author = toHex(batch.author);
    const log = store.logs().get(author) ?? [];
    const acceptance = accept(crypto, log, (epoch, sequence) => store.hashAt(author, epoch, sequence), batch);
    if (acceptance.kind === 'known') return false;
    const append = acceptance.kind === 'append' ? this.#countedPart(author, log, acceptance) : undefined;
    if (append !== undefined || acceptance.kind === 'forked') this.#store(author, append, acceptance.fork);
    if (append === undefined) return false;
    this.#step({ kind: 'stored', author, log: this.#counted(author) });
    this.deps.onStored(author);
    return true;
  }

  #countedPart(author: string, log: AuthorLog, append: ReplicaAppend): ReplicaAppend | undefined {
    const attested = this.deps.attestedHeads(author);
    if (attested === undefined) return append;
    const part = attestedPart(log, attested, append.entries, append.head);
    return part && { ...append, ...part };
  }

  #store(author: string, append: ReplicaAppend | undefined, fork: Fork | undefined): void {
    const seen = this.#forksOf(author);
    const isNew = fork !== undefined && seen.size < FORKS_MAX && !seen.has(forkName(fork));
    if (append === undefined && !isNew) return;
    this.deps.store.append(append === undefined ? [] : [append], isNew ? [fork] : []);
    if (!isNew) return;
    seen.add(forkName(fork));
    this.deps.onFork(fork);
  }

  #forksOf(author: string): Set<string> {
    const known = this.#forks.get(author) ?? new Set();
    this.#forks.set(author, known);
    return known;
  }

  *#serve(neighbour: string, request: Uint8Array): Iterable<Uint8Array> {
    const { ownLog, store, siteId } = this.deps;
    try {
      const { log: want } = MeshRequest.decode(request);
      if (want?.site !== siteId) return;
      const { author, ends } = want;
      const id = toHex(author);
      const isOwn = id === ownLog.author;
      const log = isOwn ? ownLog.log() : this.#counted(id);
      let sizeBytes = 0;
      for (let after of missingAfter(log, ends)) {
        while (sizeBytes < REPLY_BYTES_MAX && holds(log, { ...after, sequence: after.sequence + 1 })) {
          const batch = isOwn ? ownLog.batchAfter(after) : store.batchAfter(id, after);
          if (batch === undefined) break;
          const piece = encodeBatch(batch);
          yield piece;
          sizeBytes += piece.length;
          after = { epoch: after.epoch, sequence: batch.firstSequence + batch.contents.length - 1 };
        }
      }
    } catch (error) {
      this.#failed(neighbour, error);
    }
  }

  /** What goes wrong with a neighbour's bytes is the neighbour's doing, unless it is our disk's. */
  #failed(neighbour: string, error: unknown): void {
    const isOurs =
      !isSparcError(error) || error.code === 'ERR_LEDGER_WRITE_FAILED' || error.code === 'ERR_LEDGER_CORRUPT';
    if (isOurs) this.deps.onFailure(error, 'the logs could not be read or written');
    else this.deps.network.refuse(neighbour, error.message);
  }
}

const isSameHead = (a: SignedHead, b: SignedHead): boolean =>
  isSameEpoch(a.epoch, b.epoch) &&
  a.sequence === b.sequence &&
  sameBytes(a.hash, b.hash) &&
  sameBytes(a.signature, b.signature);

/** What a gateway recorded before it belonged to any site is the beginning of its log. */
const isOfSite = (site: string, siteId: string): boolean => site === siteId || site === '';

const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const fromHex = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));
