import { decodeEvent, EntryContent, EVENT_KIND, type ChainedEntry } from '@sparc/protocol/ledger';
import type { NewRow, OpenEntry } from '../db/index.js';

/** The last instant that is written with four digits of a year; what an author stamped later is in its content. */
const AT_MAX_UNIX_MS = Date.UTC(9999, 11, 31);

/** When an entry was made by its author's clock, as a column can have it. */
export const atOf = (wallUnixMs: number): Date => new Date(Math.min(wallUnixMs, AT_MAX_UNIX_MS));

/** The columns of `events` that differ from entry to entry, before any are sealed, and whether it came without its body. */
export type EventRow = NewRow &
  OpenEntry & { readonly sequence: number; readonly at: Date; readonly isEmptied: boolean };

export function eventRow({ sequence, hash, content }: ChainedEntry): EventRow {
  const { kind, hlc, wallUnixMs, timeQuality, body, digest } = EntryContent.decode(content);
  return {
    sequence,
    at: atOf(wallUnixMs),
    time_quality: timeQuality,
    hlc_unix_ms: hlc.unixMs,
    hlc_counter: hlc.counter,
    kind: storable(kind),
    hash,
    content,
    record: kind === EVENT_KIND && digest === undefined ? recordText(body) : null,
    isEmptied: digest !== undefined,
  };
}

/**
 * What the entry says, to be searched by. Without what opens a door or is long: bits and number of a card, and the text that
 * an operator signed. All of it is in the content, which is sealed. Null for what only a newer version can read.
 */
function recordText(body: Uint8Array): string | null {
  try {
    const { directive: _directive, card, ...record } = decodeEvent(body);
    const { bits: _bits, cardNumber: _cardNumber, ...format } = card ?? {};
    return jsonText({ ...record, ...(card !== undefined && { card: format }) });
  } catch {
    return null;
  }
}

/** PostgreSQL has no NUL in text, and an author may sign one: the log must not stop there. */
const storable = (text: string): string => text.replaceAll('\0', '\ufffd');

function jsonText(value: unknown): string {
  const text = JSON.stringify(value);
  if (!text.includes('\\u0000')) return text;
  return JSON.stringify(value, (_key, each: unknown) => (typeof each === 'string' ? storable(each) : each));
}
