import { EVENTS, isEventName, type Severity } from '@sparc/protocol/events';
import { EVENT_KIND } from '@sparc/protocol/ledger';
import { toHex } from '../platform/index.js';
import type { EntryRow, RecordRow } from './site-entry.js';

/** What a gateway recorded, as the API gives it. */
export interface CloudEvent extends Omit<RecordRow, 'causeId' | 'supersedes' | 'inputs'> {
  /** Names the entry; `before` of a page goes on behind it. */
  readonly cursor: string;
  /** Public key in hex. */
  readonly gateway: string;
  readonly gatewayName: string;
  /** `EPOCH.SEQUENCE` in the log of the gateway, and of the event of the same gateway that led to it. */
  readonly entry: string;
  readonly cause?: string;
  /** By the clock of the gateway. */
  readonly atUnixMs: number;
  readonly timeQuality: string;
  readonly severity: Severity;
  readonly receivedUnixMs: number;
}

/** Undefined for an entry that is no event. `names`: of gateways, by key. */
export function cloudEvent(row: EntryRow, names: ReadonlyMap<string, string>): CloudEvent | undefined {
  if (row.kind !== EVENT_KIND || row.record === null) return undefined;
  const { causeId, supersedes: _supersedes, inputs: _inputs, ...record } = row.record;
  const gateway = toHex(row.author);
  return {
    ...record,
    cursor: writeCursor(row),
    gateway,
    gatewayName: names.get(gateway) ?? gateway.slice(0, 8),
    entry: entryName(row),
    ...(causeId !== undefined && { cause: entryName(causeId) }),
    atUnixMs: row.at.getTime(),
    timeQuality: row.time_quality,
    severity: severityOf(record.name),
    receivedUnixMs: row.received_at.getTime(),
  };
}

const severityOf = (name: string): Severity => (isEventName(name) ? EVENTS[name].severity : 'info');

const entryName = ({ epoch, sequence }: { readonly epoch: number; readonly sequence: number }) =>
  `${epoch}.${sequence}`;

/** Where an entry stands among all of a site, by their times. */
export interface Place {
  readonly at: Date;
  readonly author: Uint8Array;
  readonly epoch: number;
  readonly epoch_random: Uint8Array;
  readonly sequence: number;
}

export const CURSOR_PATTERN = '^\\d{1,15}-[0-9a-f]{64}-\\d{1,15}-[0-9a-f]{16}-\\d{1,15}$';

const writeCursor = ({ at, author, epoch, epoch_random: random, sequence }: Place): string =>
  [at.getTime(), toHex(author), epoch, toHex(random), sequence].join('-');

/** Of text that matches `CURSOR_PATTERN`. */
export function readCursor(cursor: string): Place {
  const [at, author = '', epoch, random = '', sequence] = cursor.split('-');
  return {
    at: new Date(Number(at)),
    author: Buffer.from(author, 'hex'),
    epoch: Number(epoch),
    epoch_random: Buffer.from(random, 'hex'),
    sequence: Number(sequence),
  };
}
