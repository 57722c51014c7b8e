import { EventRing } from './event-ring.js';
import type { Cursor, ListedEvent, SiteEvent } from '../site-event.js';

/** A stretch of the log, oldest first: the newest `limit` events, or those next to a cursor, which itself is excluded. */
export type EventRange =
  | { readonly limit: number }
  | { readonly limit: number; readonly before: Cursor }
  | { readonly limit: number; readonly after: Cursor };

/** The events that are on disk. Throws a SparcError when they cannot be read. */
export interface EventHistory {
  read(range: EventRange): readonly ListedEvent[];
}

/** The last minutes of a busy site; about 1 MB. */
export const RING_CAPACITY = 1_000;

/** Recorded events: the newest from memory, older ones from the journal. */
export class EventLog {
  readonly #ring = new EventRing(RING_CAPACITY);

  constructor(private readonly history: EventHistory) {}

  push(event: SiteEvent): void {
    this.#ring.push(event);
  }

  read(range: EventRange): readonly ListedEvent[] {
    if ('after' in range) return this.#ring.after(range.after, range.limit) ?? this.history.read(range);
    if ('before' in range) return this.history.read(range);
    const newest = this.#ring.newest(range.limit);
    const missing = range.limit - newest.length;
    if (missing === 0) return newest;
    const { oldest } = this.#ring;
    const older = this.history.read({ limit: missing, ...(oldest === undefined ? {} : { before: oldest.cursor }) });
    return [...older, ...newest];
  }
}
