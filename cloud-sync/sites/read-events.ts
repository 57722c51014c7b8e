import { sql } from 'kysely';
import { EVENT_KIND } from '@sparc/protocol/ledger';
import type { Transaction } from '../db/index.js';
import { toHex, hexColumn } from '../platform/index.js';
import { cloudEvent, readCursor, type CloudEvent } from './cloud-event.js';
import { selectEntries } from './site-entry.js';

export interface EventsWanted {
  readonly site: string;
  /** Public key in hex. */
  readonly gateway?: string;
  /** Of the event. */
  readonly name?: string;
  /** By the clocks of the gateways; `until` is exclusive. */
  readonly fromUnixMs?: number;
  readonly untilUnixMs?: number;
  /** Older than this one. */
  readonly before?: string;
  readonly limit: number;
}

/** Newest first, by the clocks of the gateways. */
export async function readEvents(transaction: Transaction, wanted: EventsWanted): Promise<readonly CloudEvent[]> {
  const { site, gateway, name, fromUnixMs, untilUnixMs, before, limit } = wanted;
  let entries = selectEntries(transaction, site).where('kind', '=', EVENT_KIND);
  if (gateway !== undefined) entries = entries.where('author', '=', hexColumn(gateway));
  if (name !== undefined) entries = entries.where('name', '=', name);
  if (fromUnixMs !== undefined) entries = entries.where('at', '>=', new Date(fromUnixMs));
  if (untilUnixMs !== undefined) entries = entries.where('at', '<', new Date(untilUnixMs));
  if (before !== undefined) {
    const { at, author, epoch, epoch_random: random, sequence } = readCursor(before);
    entries = entries
      // For the index, and the months that need not be looked at.
      .where('at', '<=', at)
      .where(
        sql<boolean>`(at, author, epoch, epoch_random, sequence) < (${at}::timestamptz, ${author}::bytea,
          ${epoch}::bigint, ${random}::bytea, ${sequence}::bigint)`,
      );
  }
  for (const column of ['at', 'author', 'epoch', 'epoch_random', 'sequence'] as const) {
    entries = entries.orderBy(column, 'desc');
  }
  const rows = await entries.limit(limit).execute();
  const names = await gatewayNames(transaction, site);
  return rows.flatMap((row) => cloudEvent(row, names) ?? []);
}

/** By key, in hex: of those that were expelled as well. */
export async function gatewayNames({ query }: Transaction, site: string): Promise<ReadonlyMap<string, string>> {
  const rows = await query.selectFrom('gateways').select(['id', 'name']).where('site_id', '=', site).execute();
  return new Map(rows.map(({ id, name }) => [toHex(id), name]));
}
