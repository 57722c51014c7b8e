import { sql, type Insertable, type Kysely } from 'kysely';
import { SignedHead, type Link } from '@sparc/protocol/ledger';
import {
  forkName,
  isSameEpoch,
  type Acceptance,
  type AuthorLog,
  type EpochEnd,
  type Fork,
} from '@sparc/protocol/replication';
import { openEntry, SEALED_ENTRY, type AuthorHeads, type Site, type Tables, type Transaction } from '../db/index.js';
import { storedLog, type StoredLog } from './author-rows.js';

export type Query = Kysely<Tables>;
/** What is to be stored of a batch. */
export type Append = Omit<Extract<Acceptance, { kind: 'append' }>, 'kind' | 'fork'>;

/** Whose log may be taken: of gateways of the site, heard or not yet, also of those that were put out, and of its authority. */
export type AuthorPlace = 'active' | 'claimed' | 'former' | 'authority';

/** Undefined for whoever has no log in the site. */
export async function placeOf(query: Query, site: string, author: Uint8Array): Promise<AuthorPlace | undefined> {
  const key = Buffer.from(author);
  const gateway = await query
    .selectFrom('gateways')
    .select('state')
    .where('site_id', '=', site)
    .where('id', '=', key)
    .executeTakeFirst();
  if (gateway?.state === 'active' || gateway?.state === 'claimed') return gateway.state;
  if (gateway !== undefined) return 'former';
  const authority = query.selectFrom('sites').select('id').where('id', '=', site).where('authority_key', '=', key);
  return (await authority.executeTakeFirst()) && 'authority';
}

/** The log of an author, locked: who else has more of it waits until this transaction is over. */
export async function lockLog(query: Query, author: Uint8Array): Promise<StoredLog> {
  const rows = query.selectFrom('author_heads').where('author', '=', Buffer.from(author));
  await rows.select('sequence').orderBy('epoch').orderBy('epoch_random').forUpdate().execute();
  // Read behind the lock: a statement sees what was committed when it began.
  return storedLog(await rows.selectAll().execute());
}

/** Of an entry that is stored. */
export async function hashAt(
  { query, seals }: Transaction,
  author: Uint8Array,
  { epoch, sequence }: EpochEnd,
): Promise<Uint8Array | undefined> {
  const found = await query
    .selectFrom('events')
    .select(SEALED_ENTRY)
    .where('author', '=', Buffer.from(author))
    .where('epoch', '=', epoch.counter)
    .where('epoch_random', '=', Buffer.from(epoch.random))
    .where('sequence', '=', sequence)
    .limit(1)
    .executeTakeFirst();
  return found && openEntry(seals, found).hash;
}

/** Of entries that are stored. */
export interface EntryCounts {
  /** Of a time that no month is kept for. */
  readonly outsideCount: number;
  /** Without their bodies. */
  readonly emptiedCount: number;
}

/** False where somebody else moved it since `log` was read: the first entries of an author have no row that could be locked. */
export async function moveHead(
  query: Query,
  of: Site,
  log: AuthorLog,
  { head, previous }: Append,
  { outsideCount, emptiedCount }: EntryCounts,
): Promise<boolean> {
  const { author, epoch, sequence, hash, signature } = head;
  const place = { author: Buffer.from(author), epoch: epoch.counter, epoch_random: Buffer.from(epoch.random) };
  const moved = { sequence, hash: Buffer.from(hash), signature: Buffer.from(signature), signed_site: head.site };
  const held = log.find((known) => isSameEpoch(known.head.epoch, epoch));
  if (held === undefined)
    return openEpoch(query, {
      tenant_id: of.tenant,
      site_id: of.site,
      ...place,
      ...moved,
      outside_count: outsideCount,
      emptied_count: emptiedCount,
      ...columnsOf(previous),
    });
  const updated = await query
    .updateTable('author_heads')
    .set((now) => ({
      ...moved,
      outside_count: now('outside_count', '+', outsideCount),
      emptied_count: now('emptied_count', '+', emptiedCount),
      updated_at: sql<Date>`now()`,
    }))
    .where((row) => row.and({ ...place, sequence: held.head.sequence }))
    .executeTakeFirst();
  return updated.numUpdatedRows > 0n;
}

async function openEpoch(query: Query, row: Insertable<AuthorHeads>): Promise<boolean> {
  const opened = await query
    .insertInto('author_heads')
    .values(row)
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  return (opened.numInsertedOrUpdatedRows ?? 0n) > 0n;
}

const columnsOf = (previous: Link | undefined) =>
  previous && {
    previous_epoch: previous.epoch.counter,
    previous_epoch_random: Buffer.from(previous.epoch.random),
    previous_sequence: previous.sequence,
    previous_hash: Buffer.from(previous.hash),
  };

/** Evidence, once; where two hashes stand at one place, nothing more of that epoch is taken from anybody. */
export async function recordFork(query: Query, tenant: string, site: string, fork: Fork): Promise<void> {
  const { kind, first, second } = fork;
  const author = Buffer.from(first.author);
  await query
    .insertInto('forks')
    .values({
      tenant_id: tenant,
      site_id: site,
      author,
      name: forkName(fork),
      kind,
      first: Buffer.from(SignedHead.encode(first)),
      second: Buffer.from(SignedHead.encode(second)),
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  if (kind !== 'altered') return;
  await query
    .updateTable('author_heads')
    .set({ stopped_at: sql<Date>`now()` })
    .where('author', '=', author)
    .where('epoch', '=', first.epoch.counter)
    .where('epoch_random', '=', Buffer.from(first.epoch.random))
    .where('stopped_at', 'is', null)
    .execute();
}
