import { sql } from 'kysely';
import { PART_RECORDS_MEAN } from '@sparc/protocol/policy-revision';
import type { Query } from './draft-rows.js';
import type { PolicyKind } from './kinds.js';

/** Objects of a draft between two that begin a part of a revision, as `RevisionCutter` has it. */
export interface DraftRun {
  readonly firstId: string;
  readonly lastId: string;
  readonly count: number;
  /** SHA-256 of all that is stored of them, in hex. */
  readonly digest: string;
}

/** The runs of so many objects from an id on, in the order of their ids; the last may go on behind them. */
export async function draftRuns(
  query: Query,
  { site, kind }: { readonly site: string; readonly kind: PolicyKind },
  fromId: string,
  countMax: number,
): Promise<readonly DraftRun[]> {
  const { rows } = await sql<DraftRun>`
    select min(id collate "C") as "firstId", max(id collate "C") as "lastId", count(*) as count,
           encode(sha256(string_agg(digest, '' order by id collate "C")), 'hex') as digest
      from (select id, digest, count(*) filter (where begins) over (order by id collate "C") as run
              from (select id, sha256(convert_to(id || body::text, 'UTF8') || coalesce(sealed, '')) as digest,
                           get_byte(sha256(convert_to(id, 'UTF8')), 0) % ${sql.lit(PART_RECORDS_MEAN)} = 0 as begins
                      from policy_objects
                     where site_id = ${site} and kind = ${kind} and id collate "C" >= ${fromId}
                     order by id collate "C" limit ${countMax}) objects) each_in_run
     group by run order by 1`.execute(query);
  return rows;
}

/** That a credential names a holder whom the draft does not have. */
export async function isHolderMissing(query: Query, site: string): Promise<boolean> {
  const { rows } = await sql`
    select from policy_objects c
     where c.site_id = ${site} and c.kind = 'credentials'
       and not exists (select from policy_objects h
                        where h.site_id = c.site_id and h.kind = 'credentialHolders' and h.id = c.holder)
     limit 1`.execute(query);
  return rows.length > 0;
}
