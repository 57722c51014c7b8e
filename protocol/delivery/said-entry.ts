import type { Hlc } from '../hlc/index.js';
import type { StoredRecord } from '../ledger/index.js';
import type { EntryId, TimeQuality } from '../ports/index.js';

/** An event in the log of a gateway. */
export interface SaidEntry {
  readonly id: EntryId;
  readonly hlc: Hlc;
  /** What the clock of that gateway showed. */
  readonly wallUnixMs: number;
  readonly timeQuality: TimeQuality;
  readonly record: StoredRecord;
}

/** An entry of which only where and when it is known. */
export type EntryMark = Omit<SaidEntry, 'record'>;

/** Where an entry stands in its log, as the API names it. */
export const cursorOf = ({ epoch, sequence }: EntryId): string => `${epoch}.${sequence}`;
