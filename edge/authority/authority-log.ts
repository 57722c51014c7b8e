import { continueLog, epochAbove, type Draft } from '@sparc/protocol/authority';
import { SparcError } from '@sparc/protocol/errors';
import { HLC_ZERO, type Hlc } from '@sparc/protocol/hlc';
import { EntryContent, type Batch, type SignedHead } from '@sparc/protocol/ledger';
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
  append(drafts: readonly Draft[]): void {
    const { clock, random, signer } = this.deps;
    const head = this.head();
    const opens = this.#isOpen ? undefined : epochAbove(head === undefined ? [] : [head.epoch.counter], random);
    const end = { site: this.siteId, head, hlc: this.#hlc, opens };
    const { hlc, ...added } = continueLog({ clock, crypto: nodeCrypto, signer }, end, drafts);
    this.store.append([added], []);
    this.#hlc = hlc;
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

  #lastHlc(): Hlc {
    const head = this.head();
    const last = head && this.store.batchAfter(this.#author, { epoch: head.epoch, sequence: head.sequence - 1 });
    const [content] = last?.contents ?? [];
    return content === undefined ? HLC_ZERO : EntryContent.decode(content).hlc;
  }
}
