import { sql } from 'kysely';
import { ABSORBED_DIRECTIVES_MAX, type AbsorbedDirective } from '@sparc/protocol/policy';
import type { Site, Transaction } from '../db/index.js';
import { audit } from '../users/index.js';
import { invalidDraft, type StoredObject } from './draft-object.js';
import type { Query } from './draft-rows.js';

/** A revocation that the authority of the site stands by. */
export interface Revocation extends AbsorbedDirective {
  readonly by: string;
}

/** What the draft says of whom somebody revoked. */
const BARRED = {
  credential: { kind: 'credentials', status: 'blocked' },
  holder: { kind: 'credentialHolders', status: 'suspended' },
} as const;

/** Takes revocations into the draft; one that is there already changes nothing. The caller has begun a change. */
export async function keepRevocations(
  transaction: Transaction,
  { tenant, site }: Site,
  revocations: readonly Revocation[],
): Promise<void> {
  for (const { id, subject, subjectId, by } of revocations) {
    const { numInsertedOrUpdatedRows: added } = await transaction.query
      .insertInto('policy_revocations')
      .values({ tenant_id: tenant, site_id: site, id, subject, subject_id: subjectId, revoked_by: by })
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirst();
    if (added !== 1n) continue;
    await barring(transaction.query, site, { subject, subjectId, by }).execute();
    const object = `${site}/${BARRED[subject].kind}/${subjectId}`;
    await audit(transaction, { tenant, name: by }, 'policy.revoke', object, { directive: id });
  }
}

/**
 * Of `incoming_objects`, which were saved, those that somebody revoked and nobody let in again: a table or an older site file
 * knows nothing of that.
 */
export async function barSaved(query: Query, site: string): Promise<void> {
  const { rows } = await sql<Omit<Revocation, 'id'>>`
    select distinct r.subject, r.subject_id as "subjectId", r.revoked_by as by
      from policy_revocations r join incoming_objects i on i.kind = r.kind and i.id = r.subject_id
     where r.site_id = ${site} and r.reinstated_by is null`.execute(query);
  // What bars them by itself is as it was saved.
  for (const each of rows) await barring(query, site, each).where(statusOf, '=', 'active').execute();
}

/** Whether the draft has whom somebody revokes. */
export async function isInDraft(
  query: Query,
  site: string,
  { subject, subjectId }: Pick<Revocation, 'subject' | 'subjectId'>,
): Promise<boolean> {
  const named = query.selectFrom('policy_objects').select('id').where('site_id', '=', site);
  const found = await named.where('kind', '=', BARRED[subject].kind).where('id', '=', subjectId).executeTakeFirst();
  return found !== undefined;
}

const statusOf = sql<string>`body ->> 'status'`;

/** Raises the version, whatever the status was: who has read the object did not read that it was revoked. */
function barring(query: Query, site: string, { subject, subjectId, by }: Omit<Revocation, 'id'>) {
  const { kind, status } = BARRED[subject];
  return query
    .updateTable('policy_objects')
    .set((row) => ({
      version: row('version', '+', 1),
      body: sql<string>`case ${statusOf} when 'active' then jsonb_set(body, '{status}', to_jsonb(${status}::text)) else body end`,
      changed_at: sql<Date>`now()`,
      changed_by: by,
    }))
    .where('site_id', '=', site)
    .where('kind', '=', kind)
    .where('id', '=', subjectId);
}

/** Of each of `policy_objects`: who revoked it last, null where nobody has or it was let in again. */
export const revokedBy = sql<string | null>`(
  select r.revoked_by from policy_revocations r
   where r.site_id = policy_objects.site_id and r.kind = policy_objects.kind and r.subject_id = policy_objects.id
     and r.reinstated_by is null
   order by r.taken_at desc, r.id limit 1)`.as('revoked_by');

/**
 * Somebody who read that an object was revoked says that it is let in again; saved as barred, it stays revoked.
 * Throws `invalidDraft` where there are too many of them to be told to gateways.
 */
export async function reinstate(
  transaction: Transaction,
  { tenant, site }: Site,
  by: string,
  { kind, id, body }: StoredObject,
): Promise<void> {
  if ((body as { readonly status?: unknown }).status !== 'active') return;
  const { query } = transaction;
  const { numUpdatedRows: count } = await query
    .updateTable('policy_revocations')
    .set({ reinstated_by: by })
    .where('site_id', '=', site)
    .where('kind', '=', kind)
    .where('subject_id', '=', id)
    .where('reinstated_by', 'is', null)
    .executeTakeFirst();
  if (count === 0n) return;
  const { all } = await query
    .selectFrom('policy_revocations')
    .select(({ fn }) => fn.countAll<number>().as('all'))
    .where('site_id', '=', site)
    .where('reinstated_by', 'is not', null)
    .executeTakeFirstOrThrow();
  if (all > ABSORBED_DIRECTIVES_MAX) {
    const message = `no more than ${ABSORBED_DIRECTIVES_MAX} who were revoked are let in again; it takes another id`;
    throw invalidDraft([{ kind, id, path: 'status', message }]);
  }
  await audit(transaction, { tenant, name: by }, 'policy.reinstate', `${site}/${kind}/${id}`);
}

/**
 * The revocations that the draft says by itself, in the order of their ids: it has whom they are about, barred, or let in again
 * by somebody who meant it. Where there are more than a revision takes, those are left out that bar somebody anyway.
 */
export async function absorbedDirectives(query: Query, site: string): Promise<AbsorbedDirective[]> {
  const rows = await query
    .selectFrom('policy_revocations as r')
    .innerJoin('policy_objects as o', (join) =>
      join.onRef('o.site_id', '=', 'r.site_id').onRef('o.kind', '=', 'r.kind').onRef('o.id', '=', 'r.subject_id'),
    )
    .select(['r.id', 'r.subject', 'r.subject_id as subjectId'])
    .where('r.site_id', '=', site)
    .where((row) => row.or([row('r.reinstated_by', 'is not', null), row(sql`o.body ->> 'status'`, '<>', 'active')]))
    .orderBy(sql`r.reinstated_by is null`)
    .orderBy('r.taken_at', 'desc')
    .limit(ABSORBED_DIRECTIVES_MAX)
    .execute();
  return rows.sort((a, b) => (a.id < b.id ? -1 : 1));
}
