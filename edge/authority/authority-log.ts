import { SparcError } from '@sparc/protocol/errors';
import { HLC_ZERO, nextHlc, type Hlc } from '@sparc/protocol/hlc';
import {
  EntryContent,
  EPOCH_KIND,
  EpochBody,
  hashEntry,
  NO_HASH,
  signHead,
  type Batch,
  type ChainedEntry,
  type EpochId,
  type SignedHead,
} from '@sparc/protocol/ledger';
import type { Clock, Random, Signer } from '@sparc/protocol/ports';
import { tipsOf } from '@sparc/protocol/replication';
import { nodeCrypto } from '../ledger/index.js';
import { toHex } from '../platform/index.js';
import { batchesAfter, entriesAfter, SqliteReplicaStore, type AuthorEntry } from '../replica/index.js';

export interface AuthorityLogDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly signer: Signer;
}

/** What the authority says in one entry. */
export interface AuthorityDraft {
  readonly kind: string;
  readonly body: Uint8Array;
}

const EPOCH_RANDOM_BYTES = 8;

const authorOf = ({ signer }: AuthorityLogDeps): string => toHex(signer.publicKey);

/** The log of a site authority in a file, by its only writer. Each opening that appends is an epoch of its own. */
export class AuthorityLog {
  readonly #author: string;
  #hlc: Hlc;
  /** This opening has begun its epoch. */
  #isOpen = false;

  private constructor(
    private readonly store: SqliteReplicaStore,
    private readonly deps: AuthorityLogDeps,
    private readonly siteId: string,
  ) {
    this.#author = authorOf(deps);
    this.#hlc = this.#lastHlc();
  }

  /** Throws ERR_LEDGER_CORRUPT or ERR_LEDGER_WRITE_FAILED. */
  static create(path: string, siteId: string, deps: AuthorityLogDeps): AuthorityLog {
    return new AuthorityLog(SqliteReplicaStore.open(path), deps, siteId);
  }

  /** Throws ERR_LEDGER_CORRUPT, also for a file without entries of this author, or ERR_LEDGER_WRITE_FAILED. */
  static open(path: string, deps: AuthorityLogDeps): AuthorityLog {
    const store = SqliteReplicaStore.open(path);
    const [first] = store.logs().get(authorOf(deps)) ?? [];
    if (first !== undefined) return new AuthorityLog(store, deps, first.head.site);
    store.close();
    throw new SparcError('ERR_LEDGER_CORRUPT', `${path} has no entry of its authority`, { path });
  }

  /** All or nothing, and on disk for good when it returns. Throws ERR_LEDGER_WRITE_FAILED or ERR_LEDGER_MALFORMED. */
  append(drafts: readonly AuthorityDraft[]): void {
    const { signer } = this.deps;
    const before = this.head();
    const opens = !this.#isOpen;
    const epoch = opens || before === undefined ? this.#nextEpoch(before) : before.epoch;
    const opening = opens ? [{ kind: EPOCH_KIND, body: openingBody(before) }] : [];
    let last = { sequence: opens ? 0 : (before?.sequence ?? 0), hash: before?.hash ?? NO_HASH };
    const entries: ChainedEntry[] = [];
    for (const draft of [...opening, ...drafts]) {
      const content = this.#content(draft);
      const place = { author: signer.publicKey, epoch, sequence: last.sequence + 1, previousHash: last.hash };
      last = { sequence: place.sequence, hash: hashEntry(nodeCrypto, place, content) };
      entries.push({ epoch, ...last, content });
    }
    const head = signHead(signer, { site: this.siteId, author: signer.publicKey, epoch, ...last });
    this.store.append([{ entries, head, ...(opens && before !== undefined && { previous: before }) }], []);
    this.#isOpen = true;
  }

  entries(): Iterable<AuthorEntry> {
    return entriesAfter(this.store, this.#author, []);
  }

  /** All of it, oldest first, as neighbours exchange it. */
  batches(): Iterable<Batch> {
    return batchesAfter(this.store, this.#author, []);
  }

  /** Stands for all of it; undefined as long as it is empty. */
  head(): SignedHead | undefined {
    return tipsOf(this.store.logs().get(this.#author) ?? [])[0];
  }

  close(): void {
    this.store.close();
  }

  #nextEpoch(before: SignedHead | undefined): EpochId {
    return { counter: (before?.epoch.counter ?? 0) + 1, random: this.deps.random.bytes(EPOCH_RANDOM_BYTES) };
  }

  #content({ kind, body }: AuthorityDraft): Uint8Array {
    const { unixMs, quality } = this.deps.clock.wall();
    const wallUnixMs = Math.floor(unixMs);
    this.#hlc = nextHlc(this.#hlc, wallUnixMs);
    return EntryContent.encode({ kind, hlc: this.#hlc, wallUnixMs, timeQuality: quality, body });
  }

  #lastHlc(): Hlc {
    const head = this.head();
    const last = head && this.store.batchAfter(this.#author, { epoch: head.epoch, sequence: head.sequence - 1 });
    const [content] = last?.contents ?? [];
    return content === undefined ? HLC_ZERO : EntryContent.decode(content).hlc;
  }
}

const openingBody = (previous: SignedHead | undefined): Uint8Array =>
  EpochBody.encode({ ...(previous !== undefined && { previous }), predecessorLost: false });
