import { sql } from 'kysely';
import { EntryContent, type SignedHead } from '@sparc/protocol/ledger';
import type { AuthorLog } from '@sparc/protocol/replication';
import { sealEntry, type Site, type Transaction } from '../db/index.js';
import { moveHead, type Append } from './author-heads.js';
import { atOf, eventRow, type EventRow } from './event-rows.js';

/**
 * Stores entries behind the log of an author, `log` as it was locked in this transaction. `isOutside`: of `Months.prepare`,
 * for the instants of all of them. Says how many came without their bodies; undefined, and nothing
 * is stored, where somebody else was quicker.
 */
export async function appendToLog(
  transaction: Transaction,
  of: Site,
  log: AuthorLog,
  append: Append,
  isOutside: (instant: Date) => boolean,
): Promise<{ readonly emptiedCount: number } | undefined> {
  const rows = append.entries.map(eventRow);
  const outsideCount = rows.filter(({ at }) => isOutside(at)).length;
  const emptiedCount = rows.filter(({ isEmptied }) => isEmptied).length;
  if (!(await moveHead(transaction.query, of, log, append, { outsideCount, emptiedCount }))) return undefined;
  await insertEvents(transaction, of, append.head, rows);
  return { emptiedCount };
}

/** When an entry was made by its author's clock. */
export const instantOf = (content: Uint8Array): Date => atOf(EntryContent.decode(content).wallUnixMs);

async function insertEvents(
  transaction: Transaction,
  of: Site,
  { author, epoch, sequence, signature }: SignedHead,
  rows: readonly EventRow[],
): Promise<void> {
  await sql`create temporary table if not exists incoming (
    sequence bigint, at timestamptz, time_quality text, hlc_unix_ms bigint, hlc_counter integer, kind text,
    hash bytea, content bytea, record jsonb, signature bytea
  ) on commit delete rows`.execute(transaction.query);
  const seal = transaction.seals.of('entry', of.site);
  await transaction.load(
    'incoming',
    rows.map(({ isEmptied: _isEmptied, ...row }) => ({
      ...row,
      ...sealEntry(seal, { author, epoch: epoch.counter, epoch_random: epoch.random, sequence: row.sequence }, row),
      signature: row.sequence === sequence ? signature : null,
    })),
  );
  await sql`insert into events (tenant_id, site_id, author, epoch, epoch_random,
      sequence, at, time_quality, hlc_unix_ms, hlc_counter, kind, hash, content, record, signature)
    select ${of.tenant}::uuid, ${of.site}, ${Buffer.from(author)}::bytea, ${epoch.counter}::bigint,
      ${Buffer.from(epoch.random)}::bytea,
      sequence, at, time_quality, hlc_unix_ms, hlc_counter, kind, hash, content, record, signature
    from incoming`.execute(transaction.query);
}
