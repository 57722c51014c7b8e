import type { Carrier } from '@sparc/protocol/cloud-link';
import { EntryContent } from '@sparc/protocol/ledger';
import type { VerifySignature } from '@sparc/protocol/ports';
import { openRoster, ROSTER_KIND, rosterOf, SignedRoster, type Roster } from '@sparc/protocol/roster';
import type { Transaction } from '../db/index.js';
import { placeMembers, removeMember } from './member-rows.js';

type Query = Transaction['query'];

/**
 * From now on the authority of a site may sign: what it said before is known in this life of the database, as `isEnough` finds
 * by the roster that is. Who was enrolled or expelled since the backup has a row that says so.
 */
export async function takeUp(
  query: Query,
  verify: VerifySignature,
  site: Omit<Carrier, 'gateway'>,
  isEnough: (roster: Roster) => boolean = () => true,
): Promise<void> {
  const roster = await knownRoster(query, verify, site.site);
  if (roster !== undefined && !isEnough(roster)) return;
  const taken = await query
    .updateTable('site_authorities')
    .from('incarnation')
    .set((row) => ({ incarnation: row.ref('incarnation.id') }))
    .where('site_id', '=', site.site)
    .whereRef('site_authorities.incarnation', '<>', 'incarnation.id')
    .executeTakeFirst();
  if (taken.numUpdatedRows === 0n || roster === undefined) return;
  await placeMembers(query, site, roster.members);
  for (const { key } of roster.expelled) await removeMember(query, key);
}

async function knownRoster(query: Query, verify: VerifySignature, site: string): Promise<Roster | undefined> {
  const rows = await query
    .selectFrom('events')
    .innerJoin('sites', (join) => join.onRef('sites.authority_key', '=', 'events.author').on('sites.id', '=', site))
    .select(['content', 'author'])
    .where('kind', '=', ROSTER_KIND)
    .execute();
  return rosterOf(
    rows.map(({ content, author }) =>
      openRoster(verify, Uint8Array.from(author), SignedRoster.decode(EntryContent.decode(content).body)),
    ),
  );
}
