import { sql, type Selectable } from 'kysely';
import type { SaidEntry } from '@sparc/protocol/delivery';
import { DELEGATION_KIND } from '@sparc/protocol/roster';
import { decodeEvent, EntryContent, EVENT_KIND, type StoredRecord } from '@sparc/protocol/ledger';
import type { TimeQuality } from '@sparc/protocol/ports';
import type { Events, Transaction } from '../db/index.js';
import { toHex } from '../platform/index.js';

const COLUMNS = [
  'author',
  'epoch',
  'epoch_random',
  'sequence',
  'at',
  'time_quality',
  'hlc_unix_ms',
  'hlc_counter',
  'kind',
  'received_at',
] as const;

/** What is read of an entry: its content only where the record does not have all that is asked for. */
export type EntryRow = Pick<Selectable<Events>, (typeof COLUMNS)[number]> & {
  readonly content: Uint8Array | null;
  readonly record: RecordRow | null;
};

/** A record as ingest stores it: without what opens a door. */
export type RecordRow = Omit<StoredRecord, 'directive' | 'card'> & {
  readonly card?: Omit<NonNullable<StoredRecord['card']>, 'bits' | 'cardNumber'>;
};

/** Entries of a site, to be narrowed down further. */
export const selectEntries = ({ query }: Pick<Transaction, 'query'>, site: string) =>
  query
    .selectFrom('events')
    .select(COLUMNS)
    .select(sql<RecordRow | null>`record`.as('record'))
    .select(
      sql<Uint8Array | null>`
        case when kind = ${DELEGATION_KIND} or record ->> 'name' = 'directive.given' then content end`.as('content'),
    )
    .where('site_id', '=', site);

export const markOf = (row: EntryRow): Omit<SaidEntry, 'record'> => ({
  id: { author: toHex(row.author), epoch: row.epoch, sequence: row.sequence },
  hlc: { unixMs: row.hlc_unix_ms, counter: row.hlc_counter },
  wallUnixMs: row.at.getTime(),
  timeQuality: row.time_quality as TimeQuality,
});

/** Undefined for an entry that is no event, or one that only a newer version can read. */
export function saidOf(row: EntryRow): SaidEntry | undefined {
  const { kind, record, content } = row;
  if (kind !== EVENT_KIND || record === null) return undefined;
  const { name, detail, code, causeId } = record;
  const { directive } = content === null ? {} : decodeEvent(EntryContent.decode(content).body);
  return {
    ...markOf(row),
    record: {
      name,
      ...(detail !== undefined && { detail }),
      ...(code !== undefined && { code }),
      ...(causeId !== undefined && { causeId }),
      ...(directive !== undefined && { directive }),
    },
  };
}
