import type { VerifySignature } from '@sparc/protocol/ports';
import type { Roster } from '@sparc/protocol/roster';
import type { Site, Transaction } from '../db/index.js';
import { isHalted } from './is-halted.js';
import { knownRoster } from './known-roster.js';

/**
 * From now on the authority of a site may sign: what it said before is known in this life of the database, as `isEnough` finds
 * by the roster that is. True where it signed nothing until now.
 */
export async function takeUp(
  transaction: Transaction,
  verify: VerifySignature,
  { site }: Pick<Site, 'site'>,
  isEnough: (roster: Roster) => boolean = () => true,
): Promise<boolean> {
  const roster = await knownRoster(transaction, verify, site);
  if (roster !== undefined && !isEnough(roster)) return false;
  const { numUpdatedRows } = await transaction.query
    .updateTable('site_authorities')
    .from('incarnation')
    .set((row) => ({ incarnation: row.ref('incarnation.id') }))
    .where('site_id', '=', site)
    .where(isHalted)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}
