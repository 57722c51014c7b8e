import { isSparcError, SparcError } from '@sparc/protocol/errors';
import {
  decodeBatch,
  encodeBatch,
  isSignatureValid,
  malformed,
  sameBytes,
  type Batch,
  type LedgerCrypto,
  type SignedHead,
} from '@sparc/protocol/ledger';
import type { Clock, MeshNetwork, MeshReply, ReplicaStore, Timer } from '@sparc/protocol/ports';
import {
  accept,
  endsOf,
  Heads,
  holds,
  holdersOf,
  missingAfter,
  nextDeadlineMs,
  nothingHeld,
  step,
  tipsOf,
  Want,
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
  /** A log grew; what is new is on disk. */
  onStored(author: string): void;
  onFork(fork: Fork): void;
  onFailure(error: unknown, what: string): void;
}

/** Of one answer; whoever asked asks again for the rest, so that it never has to take more than this at once. */
export const REPLY_BYTES_MAX = 1_048_576;

interface Fetch {
  reply: MeshReply | undefined;
}

/** Holds replicas of the logs of all authors of the site, and lets neighbours have them. */
export class Replicator {
  #state: ReplicationState;
  #timer: Timer | undefined;
  readonly #fetches = new Map<string, Fetch>();
  readonly #forksSeen = new Set<string>();
  #stopped = false;

  constructor(private readonly deps: ReplicatorDeps) {
    this.#state = nothingHeld(deps.ownLog.author);
  }

  async start(): Promise<void> {
    const { network, store, ownLog } = this.deps;
    for (const [author, log] of store.logs()) this.#step({ kind: 'stored', author, log });
    this.#step({ kind: 'stored', author: ownLog.author, log: ownLog.log() });
    await network.start({
      onConnected: (neighbour) => this.#step({ kind: 'connected', neighbour }),
      onDisconnected: (neighbour) => this.#step({ kind: 'disconnected', neighbour }),
      onMessage: (neighbour, message) => this.#onMessage(neighbour, message),
      serve: (_neighbour, request) => this.#serve(request),
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    for (const { reply } of this.#fetches.values()) reply?.cancel();
    this.#fetches.clear();
    await this.deps.network.stop();
  }

  /** The own log grew. `batch`: what is new, where it is little. */
  ownCommitted(batch?: Batch): void {
    const { ownLog } = this.deps;
    this.#step({ kind: 'stored', author: ownLog.author, log: ownLog.log(), ...(batch !== undefined && { batch }) });
  }

  /** Neighbours that have said that all up to a head is on their disk. */
  holdersOf(head: SignedHead): readonly string[] {
    return holdersOf(this.#state, head);
  }

  #step(input: ReplicationInput): void {
    if (this.#stopped) return;
    const { clock } = this.deps;
    const { state, effects } = step(this.#state, clock.monotonicMs(), input);
    this.#state = state;
    for (const effect of effects) this.#execute(effect);
    this.#timer?.cancel();
    const delayMs = Math.max(0, nextDeadlineMs(this.#state) - clock.monotonicMs());
    this.#timer = clock.setTimer(delayMs, () => this.#step({ kind: 'time' }));
  }

  #execute(effect: ReplicationEffect): void {
    switch (effect.kind) {
      case 'send':
        this.deps.network.send(effect.neighbour, Heads.encode(effect.heads));
        break;
      case 'offer':
        this.#offer(effect.neighbour, effect.batch);
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
      const heads = Heads.decode(message);
      const tips = heads.tips.filter((tip) => this.#isOurs(neighbour, tip));
      this.#step({ kind: 'heads', neighbour, heads: { ...heads, tips } });
    } catch (error) {
      this.#misbehaved(neighbour, error);
    }
  }

  /** Tips of authors that are not known here say nothing: the neighbour's roster may be newer. */
  #isOurs(neighbour: string, tip: SignedHead): boolean {
    const author = toHex(tip.author);
    const { siteId, crypto, ownLog } = this.deps;
    if (tip.site !== siteId || !this.deps.isAuthor(author)) return false;
    const known = this.#state.neighbours.get(neighbour)?.tips.get(author);
    if (known?.some(({ signature }) => sameBytes(signature, tip.signature)) === true) return true;
    if (!isSignatureValid(crypto, tip)) {
      throw new SparcError('ERR_LEDGER_SIGNATURE_INVALID', `a tip of ${author} is not signed by it`);
    }
    if (author === ownLog.author && !holds(ownLog.log(), tip)) this.#forkedOurselves(tip);
    return true;
  }

  /** A neighbour has what we signed and do not have: our disk was set back, or somebody has our key. */
  #forkedOurselves(second: SignedHead): void {
    const [first] = tipsOf(this.deps.ownLog.log());
    if (first !== undefined) this.#forked({ kind: 'setBack', first, second });
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
          if (!isWanted()) return;
          const batch = decodeBatch(piece);
          if (toHex(batch.author) !== author) throw malformed('a batch of another author');
          this.#take(batch);
          this.#step({ kind: 'progress', author });
          isMore = true;
        }
      }
    } catch (error) {
      if (isSparcError(error)) this.#misbehaved(neighbour, error);
    } finally {
      if (isWanted()) {
        this.#fetches.delete(author);
        this.#step({ kind: 'fetched', neighbour, author });
      }
    }
  }

  #ask(neighbour: string, author: string): MeshReply {
    const { network, store, siteId } = this.deps;
    const ends = endsOf(store.logs().get(author) ?? []);
    return network.request(neighbour, Want.encode({ site: siteId, author: fromHex(author), ends }));
  }

  #offer(neighbour: string, batch: Batch): void {
    const author = toHex(batch.author);
    if (author === this.deps.ownLog.author || !this.deps.isAuthor(author)) return;
    try {
      this.#take(batch);
    } catch (error) {
      // What does not follow on what is held is fetched when it stays missing.
      if (!isSparcError(error, 'ERR_LEDGER_ENTRY_MISSING')) this.#misbehaved(neighbour, error);
    }
  }

  /** Verified before it is stored, on disk before it is announced. */
  #take(batch: Batch): void {
    const { crypto, store, siteId } = this.deps;
    if (batch.site !== siteId) throw malformed(`a batch of site ${batch.site}`);
    const author = toHex(batch.author);
    const log = store.logs().get(author) ?? [];
    const acceptance = accept(crypto, log, (epoch, sequence) => store.hashAt(author, epoch, sequence), batch);
    if (acceptance.kind === 'known') return;
    const { fork } = acceptance;
    const forks = fork === undefined ? [] : [fork];
    store.append(acceptance.kind === 'append' ? [acceptance] : [], forks);
    if (fork !== undefined) this.#forked(fork);
    if (acceptance.kind === 'forked') return;
    this.#step({ kind: 'stored', author, log: store.logs().get(author) ?? [] });
    this.deps.onStored(author);
  }

  *#serve(request: Uint8Array): Iterable<Uint8Array> {
    const { site, author, ends } = Want.decode(request);
    const { ownLog, store, siteId } = this.deps;
    if (site !== siteId) return;
    const id = toHex(author);
    const isOwn = id === ownLog.author;
    const log = isOwn ? ownLog.log() : (store.logs().get(id) ?? []);
    let sizeBytes = 0;
    for (let after of missingAfter(log, ends)) {
      while (sizeBytes < REPLY_BYTES_MAX) {
        const batch = isOwn ? ownLog.batchAfter(after) : store.batchAfter(id, after);
        if (batch === undefined) break;
        const piece = encodeBatch(batch);
        yield piece;
        sizeBytes += piece.length;
        after = { epoch: after.epoch, sequence: batch.firstSequence + batch.contents.length - 1 };
      }
    }
  }

  #forked(fork: Fork): void {
    const key = `${toHex(fork.first.signature)} ${toHex(fork.second.signature)}`;
    if (this.#forksSeen.has(key)) return;
    this.#forksSeen.add(key);
    this.deps.onFork(fork);
  }

  #misbehaved(neighbour: string, error: unknown): void {
    if (isSparcError(error, 'ERR_LEDGER_WRITE_FAILED') || isSparcError(error, 'ERR_LEDGER_CORRUPT')) {
      this.deps.onFailure(error, 'what a neighbour has could not be stored');
      return;
    }
    this.deps.network.refuse(neighbour, error instanceof Error ? error.message : String(error));
  }
}

const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const fromHex = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));
