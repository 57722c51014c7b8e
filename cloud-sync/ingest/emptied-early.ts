import type { Carrier } from '@sparc/protocol/cloud-link';
import { EntryContent, isEmptiedEarly, type Batch } from '@sparc/protocol/ledger';
import type { Clock } from '@sparc/protocol/ports';
import type { Database } from '../db/index.js';
import { toHex } from '../platform/index.js';

export interface EmptiedEarlyDeps {
  readonly clock: Clock;
  readonly database: Database;
  /** KEPT_MS, but where time runs faster. */
  readonly keptMs?: number;
}

/**
 * Whether a batch lacks bodies that nobody may have done away with: somebody else has them. What was made since this cloud began is emptied
 * once it is here, so whoever brings it otherwise took the bodies out; but its author may have lost them. Throws ERR_LEDGER_MALFORMED.
 */
export async function isBroughtEmptiedEarly(
  { clock, database, keptMs }: EmptiedEarlyDeps,
  carrier: Carrier,
  { author, contents }: Batch,
): Promise<boolean> {
  const emptied = contents.map((content) => EntryContent.decode(content)).filter(({ digest }) => digest !== undefined);
  if (emptied.length === 0) return false;
  const sinceUnixMs = carrier.gateway === toHex(author) ? undefined : await beganUnixMs(database, carrier);
  const now = { unixMs: clock.wall().unixMs, quality: 'synced' } as const;
  return emptied.some((content) => isEmptiedEarly(content, now, keptMs, sinceUnixMs));
}

/** When this cloud, or the backup that it was restored from, was given its life, or later, when the first gateway of the site came to it. */
const beganUnixMs = (database: Database, { tenant, site }: Carrier): Promise<number> =>
  database.inTenant(tenant, async ({ query }) => {
    const { beganAt, firstAt } = await query
      .selectFrom('incarnation')
      .select((row) => [
        'began_at as beganAt',
        row
          .selectFrom('gateways')
          .select((gateways) => gateways.fn.min('claimed_at').as('at'))
          .where('site_id', '=', site)
          .as('firstAt'),
      ])
      .executeTakeFirstOrThrow();
    return Math.max(beganAt.getTime(), firstAt?.getTime() ?? 0);
  });
