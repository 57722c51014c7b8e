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
import {
  attestedLog,
  epochName,
  isOfSite,
  isSameEpoch,
  type AuthorLog,
  type EpochEnd,
} from '@sparc/protocol/replication';

/** Logs as the site process left them. */
export type HeardLogs = Pick<ReplicaStore, 'logs' | 'batchAfter' | 'hashAt'>;

export interface VerifiedLogsDeps {
  readonly crypto: LedgerCrypto;
  readonly logs: HeardLogs;
  readonly siteId: string;
  /** Of an author who was expelled: the heads to which all leads that still counts of its log. One list until another counts. */
  readonly attestedHeads: (author: string) => readonly SignedHead[] | undefined;
  /** What is known of a log without being read: that of this gateway, as its journal has it. */
  readonly known: (author: string) => AuthorLog;
}

/** What is unread of an epoch. */
interface Unread extends EpochEnd {
  /** Of its last entry. */
  readonly last: number;
}

/** What is unread of a log, as long as it is the same. */
interface Course {
  readonly log: AuthorLog;
  readonly attested: readonly SignedHead[] | undefined;
  /** Next one last: those of older epochs come first. */
  readonly unread: Unread[];
  /** Entries. */
  unreadCount: number;
}

/** Logs that are not believed, read on from where they were read to: older epochs first, each entry on the one before. */
export class VerifiedLogs {
  /** By author and epoch: the last entry that was read. */
  readonly #ends = new Map<string, Map<string, Link>>();
  /** By author. */
  readonly #courses = new Map<string, Course>();

  constructor(private readonly deps: VerifiedLogsDeps) {}

  /** Entries of an author that were not read yet. */
  unreadCount(author: string): number {
    return this.#course(author).unreadCount;
  }

  /**
   * The next entries of an author, up to a head that it signed; undefined: there are none. Throws as the store and as
   * `verifyBatch` do, and then again.
   */
  next(author: string): readonly ChainedEntry[] | undefined {
    const course = this.#course(author);
    const after = course.unread.at(-1);
    const batch = after && this.deps.logs.batchAfter(author, after);
    if (after === undefined || batch === undefined) {
      course.unread.length = course.unreadCount = 0;
      return undefined;
    }
    if (!isOfSite(batch.site, this.deps.siteId)) throw malformed(`a batch of site ${batch.site}`);
    if (!isSameEpoch(batch.epoch, after.epoch)) throw malformed(`a batch of epoch ${batch.epoch.counter}`);
    const name = epochName(after.epoch);
    const ends = this.#endsOf(author);
    const { entries } = verifyBatch(this.deps.crypto, batch, ends.get(name));
    this.#assertAttested(author, entries);
    const counted = entries.filter(({ sequence }) => sequence <= after.last);
    const last = counted.at(-1);
    if (last === undefined || last.sequence <= after.sequence) throw malformed('a batch without entries');
    ends.set(name, { epoch: last.epoch, sequence: last.sequence, hash: last.hash });
    course.unread.pop();
    if (last.sequence < after.last) course.unread.push({ ...after, sequence: last.sequence });
    course.unreadCount -= last.sequence - after.sequence;
    return counted;
  }

  /** It is read once more, from its beginning. */
  reread(author: string): void {
    this.#ends.delete(author);
    this.#courses.delete(author);
  }

  #endsOf(author: string): Map<string, Link> {
    const ends = this.#ends.get(author) ?? new Map<string, Link>();
    this.#ends.set(author, ends);
    return ends;
  }

  /** Made once for a log: an author that lies may have many thousand epochs. */
  #course(author: string): Course {
    const log = this.deps.logs.logs().get(author) ?? NO_LOG;
    const attested = this.deps.attestedHeads(author);
    const known = this.#courses.get(author);
    if (known?.log === log && known.attested === attested) return known;
    const ends = this.#endsOf(author);
    for (const { head } of log.length === 0 ? NO_LOG : this.deps.known(author)) {
      const name = epochName(head.epoch);
      if ((ends.get(name)?.sequence ?? 0) < head.sequence) ends.set(name, head);
    }
    const unread = this.#counted(author, log, attested)
      .map(({ head: { epoch, sequence: last } }) => ({
        epoch,
        sequence: ends.get(epochName(epoch))?.sequence ?? 0,
        last,
      }))
      .filter(({ sequence, last }) => sequence < last)
      .sort((a, b) => b.epoch.counter - a.epoch.counter);
    const unreadCount = unread.reduce((sum, { sequence, last }) => sum + last - sequence, 0);
    const course = { log, attested, unread, unreadCount };
    this.#courses.set(author, course);
    return course;
  }

  #counted(author: string, log: AuthorLog, attested: readonly SignedHead[] | undefined): AuthorLog {
    if (attested === undefined) return log;
    return attestedLog(log, attested, (epoch, sequence) => this.deps.logs.hashAt(author, epoch, sequence));
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
