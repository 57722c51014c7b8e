import { EntryContent, EpochBody, type Batch, type EpochId } from '@sparc/protocol/ledger';
import type { AuthorLog, EpochEnd, HeldEpoch } from '@sparc/protocol/replication';
import { toHex } from '../platform/index.js';
import { Database } from '../platform/sqlite.js';
import { LogBatches } from './log-batches.js';
import { LogTables } from './log-tables.js';

const BUSY_TIMEOUT_MS = 1_000;

/** A journal as neighbours are served from it, while its gateway goes on writing. */
export class JournalLog {
  readonly author: string;
  readonly #db: Database;
  readonly #tables: LogTables;
  readonly #batches: LogBatches;
  /** Epochs that are over, by counter; they do not change any more. */
  readonly #past = new Map<number, HeldEpoch>();

  /** `path` of a journal that exists. Throws ERR_LEDGER_CORRUPT. */
  constructor(path: string, author: Uint8Array) {
    this.author = toHex(author);
    this.#db = new Database(path, { readonly: true, timeout: BUSY_TIMEOUT_MS });
    this.#tables = new LogTables(this.#db);
    this.#batches = new LogBatches(this.#db);
  }

  log(): AuthorLog {
    const epochs = this.#tables.epochs();
    return epochs.flatMap((counter, index) => {
      const isOver = index < epochs.length - 1;
      const held = this.#past.get(counter) ?? this.#held(counter);
      if (held === undefined) return [];
      if (isOver) this.#past.set(counter, held);
      return [held];
    });
  }

  hashAt({ counter }: EpochId, sequence: number): Uint8Array | undefined {
    return this.#batches.hashAt(counter, sequence);
  }

  batchAfter({ epoch, sequence }: EpochEnd): Batch | undefined {
    const head = this.#tables.lastHead(epoch.counter)?.head;
    return head && this.#batches.after(epoch.counter, head, sequence);
  }

  close(): void {
    this.#db.close();
  }

  #held(counter: number): HeldEpoch | undefined {
    const head = this.#tables.lastHead(counter)?.head;
    const [opening] = this.#tables.entries({ epoch: counter, sequence: 0 }, 1);
    if (head === undefined || opening === undefined) return undefined;
    const { previous, predecessorLost } = EpochBody.decode(EntryContent.decode(opening.content).body);
    return { head, ...(previous !== undefined && !predecessorLost && { previous }) };
  }
}
