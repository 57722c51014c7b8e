import { EVENTS, type EventName, type EventRecord, type Reason, type Severity } from '@sparc/protocol/events';
import type { AppendedEntry, EntryId, TimeQuality } from '@sparc/protocol/ports';
import type { LoggedEntry } from '../ledger/index.js';

/** Where an event stands in the gateway's own log: `EPOCH.SEQUENCE`, ordered by epoch, then by sequence. */
export type Cursor = string;

/** A recorded event as the API gives it: JSON-safe, with everything a person asks about it but a name. */
export interface SiteEvent {
  readonly cursor: Cursor;
  readonly atUnixMs: number;
  readonly timeQuality: TimeQuality;
  readonly name: EventName;
  readonly severity: Severity;
  readonly accessPointId?: string;
  readonly doorId?: string;
  readonly deviceId?: string;
  readonly busId?: string;
  readonly credentialId?: string;
  readonly holderId?: string;
  readonly holderName?: string;
  readonly reason?: Reason;
  readonly alsoFailed?: readonly Reason[];
  readonly flags?: readonly Reason[];
  readonly card?: {
    readonly bitCount: number;
    readonly formatId?: string;
    readonly facility?: number;
    readonly cardNumber?: string;
  };
  readonly cause?: Cursor;
  readonly code?: string;
  readonly detail?: Readonly<Record<string, string>>;
}

/** An event of which only when it was is still here: it is more than seven days old, and the cloud has it. */
export type EmptiedEvent = Pick<SiteEvent, 'cursor' | 'atUnixMs' | 'timeQuality' | 'severity'> & {
  readonly name: 'emptied';
};
export type ListedEvent = SiteEvent | EmptiedEvent;

export function cursorOf({ epoch, sequence }: Pick<EntryId, 'epoch' | 'sequence'>): Cursor {
  return `${epoch}.${sequence}`;
}

export const CURSOR_PATTERN = '^(0|[1-9]\\d{0,14})\\.(0|[1-9]\\d{0,14})$';

/** Epoch and sequence of a text that matches `CURSOR_PATTERN`. */
export function parseCursor(cursor: Cursor): { readonly epoch: number; readonly sequence: number } {
  const [epoch, sequence] = cursor.split('.').map(Number);
  return { epoch: epoch ?? 0, sequence: sequence ?? 0 };
}

/** Negative when `a` was recorded before `b`. */
export function compareCursors(a: Cursor, b: Cursor): number {
  const [left, right] = [parseCursor(a), parseCursor(b)];
  return left.epoch - right.epoch || left.sequence - right.sequence;
}

/** The raw bits of the card stay in the journal; `holderName` is for whoever looks at names. */
export function siteEvent(entry: AppendedEntry, holderName?: string): SiteEvent {
  const { card, causeId, inputs: _inputs, directive: _directive, ...plain } = entry.record satisfies EventRecord;
  return {
    ...plain,
    cursor: cursorOf(entry.id),
    atUnixMs: entry.wallUnixMs,
    timeQuality: entry.timeQuality,
    severity: EVENTS[entry.record.name].severity,
    ...(holderName === undefined ? {} : { holderName }),
    ...(causeId === undefined ? {} : { cause: cursorOf(causeId) }),
    ...(card === undefined ? {} : { card: withoutBits(card) }),
  };
}

export const emptiedEvent = ({ id, wallUnixMs, timeQuality }: LoggedEntry): EmptiedEvent => ({
  cursor: cursorOf(id),
  atUnixMs: wallUnixMs,
  timeQuality,
  name: 'emptied',
  severity: 'info',
});

function withoutBits({ bits: _bits, ...card }: NonNullable<EventRecord['card']>): NonNullable<SiteEvent['card']> {
  return card;
}
