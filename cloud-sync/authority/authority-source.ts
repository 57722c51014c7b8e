import { sql } from 'kysely';
import { batchOf, BATCH_ENTRIES_MAX, type Batch, type ChainedEntry, type SignedHead } from '@sparc/protocol/ledger';
import { isSameEpoch, missingAfter, type EpochEnd } from '@sparc/protocol/replication';
import { openEntry, openPart, SEALED_ENTRY, type Database, type Site, type Transaction } from '../db/index.js';
import { storedLog, type Query } from '../ingest/index.js';
import { hexColumn, toHex } from '../platform/index.js';

/** Of one reading: who asks says then up to where it has it. */
const BATCHES_MAX = 8;
const BATCH_BYTES_MAX = 262_144;

/** What authorities have said, for whoever hands it on: it needs no key. */
export class AuthoritySource {
  constructor(private readonly database: Database) {}

  /** What follows on these ends, in order; some of it, where there is much. Nothing for a site without an authority. */
  batches({ tenant, site }: Site, after: readonly EpochEnd[]): Promise<readonly Batch[]> {
    return this.database.inTenant(tenant, async (transaction) => {
      const { query } = transaction;
      const author = await authorOf(query, site);
      if (author === undefined) return [];
      const rows = await query.selectFrom('author_heads').selectAll().where('author', '=', author).execute();
      const { log } = storedLog(rows);
      const batches: Batch[] = [];
      for (const end of missingAfter(log, after)) {
        const held = log.find(({ head }) => isSameEpoch(head.epoch, end.epoch));
        if (held !== undefined) batches.push(...(await batchesBehind(transaction, held.head, end.sequence)));
        if (batches.length >= BATCHES_MAX) break;
      }
      return batches.slice(0, BATCHES_MAX);
    });
  }

  /** Those parts of revisions that are here, by the SHA-256 of their content in hex; for no more than are to be in memory at once. */
  parts({ tenant, site }: Site, hashes: readonly string[]): Promise<ReadonlyMap<string, Uint8Array>> {
    return this.database.inTenant(tenant, async ({ query, seals }) => {
      const seal = seals.of('part', site);
      // By the hash itself, where it was stored before there were seals.
      const names = new Map(hashes.flatMap((hash) => [[toHex(seal.mark(hash)), hash] as const, [hash, hash] as const]));
      const rows = await query
        .selectFrom('policy_parts')
        .select(['hash', 'content'])
        .where('site_id', '=', site)
        .where(sql<boolean>`hash = any(${sql.val([...names.keys()].map(hexColumn))}::bytea[])`)
        .execute();
      return new Map(
        rows.map((row) => {
          const hash = names.get(toHex(row.hash)) ?? '';
          return [hash, openPart(seal, hash, row.content)];
        }),
      );
    });
  }
}

async function authorOf(query: Query, site: string): Promise<Buffer | undefined> {
  const row = await query.selectFrom('sites').select('authority_key').where('id', '=', site).executeTakeFirst();
  return row?.authority_key ? Buffer.from(row.authority_key) : undefined;
}

/** Of one epoch, as its author closed them, or several of those in one. `head`: of the epoch, as far as it is stored. */
async function batchesBehind(
  { query, seals }: Transaction,
  head: SignedHead,
  after: number,
): Promise<readonly Batch[]> {
  const { author, epoch } = head;
  const rows = await query
    .selectFrom('events')
    .select([...SEALED_ENTRY, 'signature'])
    .where('author', '=', Buffer.from(author))
    .where('epoch', '=', epoch.counter)
    .where('epoch_random', '=', Buffer.from(epoch.random))
    .where('sequence', '>=', after)
    .orderBy('sequence')
    // As many as one batch may have, and the entry before them.
    .limit(BATCH_ENTRIES_MAX + 1)
    .execute();
  const batches: Batch[] = [];
  let before: ChainedEntry | undefined;
  let closed: Batch | undefined;
  let open: ChainedEntry[] = [];
  let sizeBytes = 0;
  for (const row of rows) {
    const { sequence, signature } = row;
    const entry = { epoch, sequence, ...openEntry(seals, row) };
    if (sequence === after) {
      before = entry;
      continue;
    }
    sizeBytes += entry.content.length;
    open.push(entry);
    if (signature === null) continue;
    if (closed !== undefined && sizeBytes > BATCH_BYTES_MAX) {
      batches.push(closed);
      const count = closed.contents.length;
      before = open[count - 1];
      open = open.slice(count);
      sizeBytes = open.reduce((sum, { content: { length } }) => sum + length, 0);
    }
    const place = { author, epoch, sequence, hash: entry.hash, site: head.site };
    closed = batchOf(open, before, { ...place, signature: Uint8Array.from(signature) });
  }
  if (closed !== undefined) batches.push(closed);
  return batches;
}
