import { sql } from 'kysely';
import type { SiteAuthority } from '../authority/index.js';
import type { Database, Site } from '../db/index.js';
import { carriedDirectives, judgeCarried } from '../sites/index.js';
import { changeDraft } from './draft-rows.js';
import { keepRevocations } from './revoked-objects.js';

export interface AbsorbDeps extends Site {
  readonly database: Database;
  readonly authority: Pick<SiteAuthority, 'state'>;
}

/**
 * Takes into the draft whom operators revoked at gateways of the site, as the gateways judge them. Visitors stay with their
 * directives: those end by themselves within a month, or by a revocation. Throws as `SiteAuthority.state`.
 */
export async function absorbRevocations({ database, authority, ...of }: AbsorbDeps): Promise<void> {
  const isNew = sql`not exists (select from policy_revocations r
    where r.site_id = events.site_id and r.id = record -> 'detail' ->> 'directive')`;
  const carried = await database.inTenant(of.tenant, (transaction) =>
    carriedDirectives(transaction, of.site, 'revoke', isNew),
  );
  if (carried.length === 0) return;
  const { entitlements } = await authority.state();
  const revocations = carried.flatMap((each) => {
    const verdict = judgeCarried(entitlements, each);
    const { id, subject, subjectId } = each.directive;
    return verdict === undefined ? [] : [{ id, subject, subjectId, by: verdict.name }];
  });
  if (revocations.length === 0) return;
  await database.inTenant(of.tenant, async (transaction) => {
    const { query } = transaction;
    const ids = revocations.map(({ id }) => id);
    const known = await query
      .selectFrom('policy_revocations')
      .select('id')
      .where('site_id', '=', of.site)
      .where('id', 'in', ids)
      .execute();
    // Whoever carries it may name it as another one.
    const added = revocations.filter(({ id }) => !known.some((each) => each.id === id));
    if (added.length === 0) return;
    await changeDraft(query, of);
    await keepRevocations(transaction, of, added);
  });
}
