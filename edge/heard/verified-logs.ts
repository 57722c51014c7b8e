import { SparcError } from '@sparc/protocol/errors';
import {
  malformed,
  sameBytes,
  verifyBatch,
  type ChainedEntry,
  type LedgerCrypto,
  type Link,
  type SignedHead,
} from '@sparc/protocol/ledger';
import type { ReplicaStore } from '@sparc/protocol/ports';
import { attestedLog, isSameEpoch, missingAfter, type AuthorLog, type EpochEnd } from '@sparc/protocol/replication';
import { toHex } from '../platform/index.js';
import { isOfSite } from '../replica/index.js';

/** Logs as the site process left them. */
export type HeardLogs = Pick<ReplicaStore, 'logs' | 'batchAfter' | 'hashAt'>;

export interface VerifiedLogsDeps {
  readonly crypto: LedgerCrypto;
  readonly logs: HeardLogs;
  readonly siteId: string;
  /** Of an author who was expelled: the heads to which all leads that still counts of its log. One list until another counts. */
  readonly attestedHeads: (author: string) => readonly SignedHead[] | undefined;
}

/** Logs that are not believed, read on from where they were read to: older epochs first, each entry on the one before. */
export class VerifiedLogs {
  /** By author and epoch: the last entry that was read. */
  readonly #ends = new Map<string, Map<string, Link>>();
  /** By author: the log of which nothing is left. */
  readonly #read = new Map<string, AuthorLog>();

  constructor(private readonly deps: VerifiedLogsDeps) {}

  /** Entries of an author that were not read yet. */
  unreadCount(author: string, log = this.#counted(author)): number {
    if (this.#read.get(author) === log) return 0;
    return missingAfter(log, this.#endsOf(author)).reduce((sum, after) => sum + endIn(log, after) - after.sequence, 0);
  }

  /**
   * The next entries of an author, up to a head that it signed; undefined: there are none. Throws as the store and as
   * `verifyBatch` do, and then again.
   */
  next(author: string): readonly ChainedEntry[] | undefined {
    const log = this.#counted(author);
    if (this.#read.get(author) === log) return undefined;
    const [after] = missingAfter(log, this.#endsOf(author));
    const batch = after && this.deps.logs.batchAfter(author, after);
    if (after === undefined || batch === undefined) {
      this.#read.set(author, log);
      return undefined;
    }
    if (!isOfSite(batch.site, this.deps.siteId)) throw malformed(`a batch of site ${batch.site}`);
    const { entries } = verifyBatch(this.deps.crypto, batch, this.#ends.get(author)?.get(nameOf(after)));
    this.#assertAttested(author, entries);
    const counted = entries.filter(({ sequence }) => sequence <= endIn(log, after));
    const last = counted.at(-1);
    if (last === undefined) throw malformed('a batch without entries');
    const ends = this.#ends.get(author) ?? new Map<string, Link>();
    this.#ends.set(author, ends.set(nameOf(last), { epoch: last.epoch, sequence: last.sequence, hash: last.hash }));
    return counted;
  }

  /** It is read once more, from its beginning. */
  reread(author: string): void {
    this.#ends.delete(author);
    this.#read.delete(author);
  }

  #endsOf(author: string): readonly Link[] {
    return [...(this.#ends.get(author)?.values() ?? [])];
  }

  /** As far as it counts. */
  #counted(author: string): AuthorLog {
    const { logs, attestedHeads } = this.deps;
    const log = logs.logs().get(author) ?? NO_LOG;
    const attested = attestedHeads(author);
    if (attested === undefined) return log;
    return attestedLog(log, attested, (epoch, sequence) => logs.hashAt(author, epoch, sequence));
  }

  /** What the store says of its hashes is not believed either. */
  #assertAttested(author: string, entries: readonly ChainedEntry[]): void {
    for (const { epoch, sequence, hash } of this.deps.attestedHeads(author) ?? []) {
      const own = entries.find((entry) => entry.sequence === sequence && isSameEpoch(entry.epoch, epoch));
      if (own === undefined || sameBytes(own.hash, hash)) continue;
      throw new SparcError('ERR_LEDGER_ENTRY_ALTERED', 'another entry was attested of an expelled gateway', {
        sequence,
      });
    }
  }
}

const NO_LOG: AuthorLog = [];

const nameOf = ({ epoch: { counter, random } }: Pick<EpochEnd, 'epoch'>): string => `${counter} ${toHex(random)}`;

const endIn = (log: AuthorLog, { epoch }: EpochEnd): number =>
  log.find(({ head }) => isSameEpoch(head.epoch, epoch))?.head.sequence ?? 0;
