import type { Cursor, SiteEvent } from '../site-event.js';
import { compareCursors, parseCursor } from '../site-event.js';

/**
 * The newest events in the order of the log, without a gap: one that does not follow the last (events were dropped on
 * the way here) empties the ring first, so that whoever asks for older ones is sent to the journal. Overflow: oldest out.
 */
export class EventRing {
  #events: SiteEvent[] = [];

  constructor(private readonly capacity: number) {}

  push(event: SiteEvent): void {
    const last = this.#events.at(-1);
    if (last !== undefined && !follows(last.cursor, event.cursor)) this.#events = [];
    this.#events.push(event);
    if (this.#events.length > this.capacity) this.#events.shift();
  }

  /** The oldest event here; what came before it is in the journal only. */
  get oldest(): SiteEvent | undefined {
    return this.#events[0];
  }

  /** The newest `limit` events, oldest first. */
  newest(limit: number): readonly SiteEvent[] {
    return this.#events.slice(-limit);
  }

  /** Up to `limit` events after the cursor, oldest first; undefined where the ring does not reach back to it. */
  after(cursor: Cursor, limit: number): readonly SiteEvent[] | undefined {
    const { oldest } = this;
    if (oldest === undefined) return undefined;
    const isCovered = compareCursors(cursor, oldest.cursor) >= 0 || follows(cursor, oldest.cursor);
    if (!isCovered) return undefined;
    return this.#events.filter((event) => compareCursors(event.cursor, cursor) > 0).slice(0, limit);
  }
}

function follows(before: Cursor, after: Cursor): boolean {
  const [left, right] = [parseCursor(before), parseCursor(after)];
  return left.epoch === right.epoch && left.sequence + 1 === right.sequence;
}
