import type { Hlc } from '@sparc/protocol/hlc';
import { decodeEvent, EntryContent, EVENT_KIND, type ChainedEntry, type StoredRecord } from '@sparc/protocol/ledger';
import type { EntryId, TimeQuality } from '@sparc/protocol/ports';
import { toHex } from '../platform/index.js';

/** An entry for people and tools. */
export interface LoggedEntry {
  readonly id: EntryId;
  readonly kind: string;
  readonly hlc: Hlc;
  readonly wallUnixMs: number;
  readonly timeQuality: TimeQuality;
  /** Absent where the entry is no event, one of a newer version that this one cannot read, or emptied. */
  readonly record?: StoredRecord;
  /** Of what an emptied entry said. */
  readonly digest?: Uint8Array;
}

/** Throws ERR_LEDGER_MALFORMED when the content is damaged. */
export function toLoggedEntry(author: Uint8Array, { epoch, sequence, content }: ChainedEntry): LoggedEntry {
  const { kind, hlc, wallUnixMs, timeQuality, body, digest } = EntryContent.decode(content);
  const record = kind === EVENT_KIND && digest === undefined ? readableEvent(body) : undefined;
  return {
    id: { author: toHex(author), epoch: epoch.counter, sequence },
    kind,
    hlc,
    wallUnixMs,
    timeQuality,
    ...(record !== undefined && { record }),
    ...(digest !== undefined && { digest }),
  };
}

export function readableEvent(body: Uint8Array): StoredRecord | undefined {
  try {
    return decodeEvent(body);
  } catch {
    return undefined;
  }
}
