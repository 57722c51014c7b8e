import { EntryContent } from '@sparc/protocol/ledger';
import type { VerifySignature } from '@sparc/protocol/ports';
import { openRoster, ROSTER_KIND, rosterOf, SignedRoster, type Roster } from '@sparc/protocol/roster';
import { openEntry, SEALED_ENTRY, type Transaction } from '../db/index.js';

/** Who belongs to a site, by all that its authority has said as far as it is stored; undefined before it said so. */
export async function knownRoster(
  { query, seals }: Transaction,
  verify: VerifySignature,
  site: string,
): Promise<Roster | undefined> {
  const rows = await query
    .selectFrom('events')
    .innerJoin('sites', (join) => join.onRef('sites.authority_key', '=', 'events.author').on('sites.id', '=', site))
    .select(SEALED_ENTRY)
    .where('kind', '=', ROSTER_KIND)
    .execute();
  return rosterOf(
    rows.map((row) =>
      openRoster(
        verify,
        Uint8Array.from(row.author),
        SignedRoster.decode(EntryContent.decode(openEntry(seals, row).content).body),
      ),
    ),
  );
}
