import { join } from 'node:path';
import { isSparcError } from '@sparc/protocol/errors';
import { isKnownRecord } from '@sparc/protocol/ledger';
import { JOURNAL_FILE, readEntries, type LoggedEntry } from '../../ledger/index.js';
import { emptiedEvent, parseCursor, siteEvent, type ListedEvent } from '../site-event.js';
import type { EventHistory, EventRange } from './event-log.js';

/** Events from the journal of a data directory, read-only, also while the gateway writes. */
export class JournalHistory implements EventHistory {
  readonly #path: string;

  constructor(dataDir: string) {
    this.#path = join(dataDir, JOURNAL_FILE);
  }

  /** May return fewer than there are: entries that are no events, or events of a newer version, are left out. */
  read(range: EventRange): readonly ListedEvent[] {
    return this.#entries(range).flatMap((entry): readonly ListedEvent[] => {
      const { record, digest } = entry;
      if (digest !== undefined) return [emptiedEvent(entry)];
      return record !== undefined && isKnownRecord(record) ? [siteEvent({ ...entry, record })] : [];
    });
  }

  #entries(range: EventRange): readonly LoggedEntry[] {
    const { limit } = range;
    try {
      if ('after' in range) return readEntries(this.#path, { limit, after: parseCursor(range.after) });
      return readEntries(this.#path, { limit, ...('before' in range ? { before: parseCursor(range.before) } : {}) });
    } catch (error) {
      // A gateway whose disk refused its first commit has no history.
      if (isSparcError(error, 'ERR_LEDGER_ABSENT')) return [];
      throw error;
    }
  }
}
