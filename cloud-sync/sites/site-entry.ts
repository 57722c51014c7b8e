import { sql, type Selectable } from 'kysely';
import type { SaidEntry } from '@sparc/protocol/delivery';
import { DELEGATION_KIND, ROSTER_KIND } from '@sparc/protocol/roster';
import { decodeEvent, EntryContent, EVENT_KIND, type StoredRecord } from '@sparc/protocol/ledger';
import type { TimeQuality } from '@sparc/protocol/ports';
import { openEntry, type Events, type Transaction } from '../db/index.js';
import { toHex } from '../platform/index.js';

/** What is read of the log of a site authority. */
export const AUTHORITY_KINDS = [DELEGATION_KIND, ROSTER_KIND];

const COLUMNS = [
  'site_id',
  'author',
  'epoch',
  'epoch_random',
  'sequence',
  'at',
  'time_quality',
  'hlc_unix_ms',
  'hlc_counter',
  'kind',
  'hash',
  'received_at',
] as const;

/** What is read of an entry: its content, as it is stored, only where the record does not have all that is asked for. */
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
        case when kind in (${sql.join(AUTHORITY_KINDS)}) or record ->> 'name' = 'directive.given' then content end`.as(
        'content',
      ),
    )
    .where('site_id', '=', site);

/** What the entry says, where it was read. */
export const contentOf = ({ seals }: Transaction, { content, ...row }: EntryRow): EntryContent | undefined =>
  content === null ? undefined : EntryContent.decode(openEntry(seals, { ...row, content }).content);

export const markOf = (row: EntryRow): Omit<SaidEntry, 'record'> => ({
  id: { author: toHex(row.author), epoch: row.epoch, sequence: row.sequence },
  hlc: { unixMs: row.hlc_unix_ms, counter: row.hlc_counter },
  wallUnixMs: row.at.getTime(),
  timeQuality: row.time_quality as TimeQuality,
});

/** Undefined for an entry that is no event, or one that only a newer version can read. */
export function saidOf(transaction: Transaction, row: EntryRow): SaidEntry | undefined {
  const { kind, record } = row;
  if (kind !== EVENT_KIND || record === null) return undefined;
  const { name, detail, code, causeId } = record;
  const content = contentOf(transaction, row);
  const { directive } = content === undefined ? {} : decodeEvent(content.body);
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
