import { statSync } from 'node:fs';
import { JournalLog } from '../ledger/index.js';
import type { Batch, EpochId } from '@sparc/protocol/ledger';
import type { AuthorLog, EpochEnd } from '@sparc/protocol/replication';
import { toHex } from '../platform/index.js';
import type { OwnLog } from '../replica/index.js';

/**
 * The journal of this gateway, read beside its writer: there may be none yet, and one that is damaged is replaced while
 * this runs. A journal that cannot be read at the moment is one that did not grow; no neighbour suffers for it.
 */
export class OwnJournal implements OwnLog {
  readonly author: string;
  #open: { readonly journal: JournalLog; readonly inode: number } | undefined;
  #log: AuthorLog = [];
  #isReadable = true;

  constructor(
    private readonly path: string,
    private readonly publicKey: Uint8Array,
    /** Heard once, until it can be read again. */
    private readonly onFailure: (error: unknown) => void,
  ) {
    this.author = toHex(publicKey);
  }

  log(): AuthorLog {
    this.#log = this.#read((journal) => journal.log()) ?? this.#log;
    return this.#log;
  }

  hashAt(epoch: EpochId, sequence: number): Uint8Array | undefined {
    return this.#read((journal) => journal.hashAt(epoch, sequence));
  }

  batchAfter(after: EpochEnd): Batch | undefined {
    return this.#read((journal) => journal.batchAfter(after));
  }

  close(): void {
    this.#open?.journal.close();
    this.#open = undefined;
  }

  #read<T>(use: (journal: JournalLog) => T): T | undefined {
    try {
      const journal = this.#journal();
      const read = journal && use(journal);
      this.#isReadable = true;
      return read;
    } catch (error) {
      this.close();
      if (this.#isReadable) this.onFailure(error);
      this.#isReadable = false;
      return undefined;
    }
  }

  #journal(): JournalLog | undefined {
    const inode = statSync(this.path, { throwIfNoEntry: false })?.ino;
    if (this.#open?.inode === inode) return this.#open?.journal;
    this.close();
    if (inode === undefined) return undefined;
    this.#open = { journal: new JournalLog(this.path, this.publicKey), inode };
    return this.#open.journal;
  }
}
