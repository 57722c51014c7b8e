import { sql, type Kysely } from 'kysely';
import { siteUnknown, type Database, type Site, type Tables, type Transaction } from '../db/index.js';
import type { StoredObject } from './draft-object.js';
import { barSaved } from './revoked-objects.js';

export type Query = Kysely<Tables>;

/**
 * Begins a change of the draft and says its new version: who else changes it waits until this transaction is over.
 * Throws ERR_DATABASE_SITE_UNKNOWN.
 */
export async function changeDraft(query: Query, { site }: Site): Promise<number> {
  const { rows } = await sql<{ version: number }>`
    insert into policy_drafts (tenant_id, site_id) select tenant_id, id from sites where id = ${site}
    on conflict (tenant_id, site_id) do update set version = policy_drafts.version + 1
    returning version`.execute(query);
  const [row] = rows;
  if (row === undefined) throw siteUnknown(site);
  return row.version;
}

/** Rises with every change of the draft; 0 where nothing was ever written. */
export async function draftVersion(query: Query, { site }: Site): Promise<number> {
  const row = await versionOf(query, site).executeTakeFirst();
  return row?.version ?? 0;
}

/** The same, which nobody changes until this transaction is over. */
export async function holdDraft(query: Query, { site }: Site): Promise<number> {
  const row = await versionOf(query, site).forShare().executeTakeFirst();
  return row?.version ?? 0;
}

const versionOf = (query: Query, site: string) =>
  query.selectFrom('policy_drafts').select('version').where('site_id', '=', site);

/** Rows that are made ready without a pause. */
const LOADED_AT_ONCE = 500;

export interface Saved {
  readonly created: number;
  readonly changed: number;
}

/**
 * Saves many at once; what is as it was keeps its version. Whom somebody revoked, and nobody let in again, is barred all the
 * same. The caller has begun a change.
 */
export async function saveObjects(
  transaction: Transaction,
  { tenant, site }: Site,
  by: string,
  objects: readonly StoredObject[],
): Promise<Saved> {
  const { query } = transaction;
  await sql`create temporary table if not exists incoming_objects (
    kind text, id text, body text, sealed bytea, marks text
  ) on commit delete rows`.execute(query);
  await sql`delete from incoming_objects`.execute(query);
  for (let first = 0; first < objects.length; first += LOADED_AT_ONCE) {
    await transaction.load('incoming_objects', objects.slice(first, first + LOADED_AT_ONCE).map(incomingRow));
  }
  const { rows } = await sql<Saved>`with saved as (
    insert into policy_objects as o (tenant_id, site_id, kind, id, body, sealed, marks, changed_by)
    select ${tenant}::uuid, ${site}, kind, id, body::jsonb, sealed, marks::text[], ${by} from incoming_objects
    on conflict (tenant_id, site_id, kind, id) do update
      set version = o.version + 1, body = excluded.body, sealed = excluded.sealed, marks = excluded.marks,
          changed_at = now(), changed_by = excluded.changed_by
      where (o.body, o.sealed) is distinct from (excluded.body, excluded.sealed)
    returning xmax = 0 as is_new
    ) select count(*) filter (where is_new) as created, count(*) filter (where not is_new) as changed from saved`.execute(
    query,
  );
  await barSaved(query, site);
  const [{ created, changed } = { created: 0, changed: 0 }] = rows;
  return { created, changed };
}

const incomingRow = ({ kind, id, body, sealed, marks }: StoredObject) => ({
  ...{ kind, id, sealed },
  body: JSON.stringify(body),
  marks: `{${marks.join()}}`,
});

/**
 * Has the database look again at how many objects there are. Where it thinks that they are few it reads all of them for each
 * that it looks up; a server finds out by itself within minutes, a database in the process never does.
 */
export async function countAnew(database: Database): Promise<void> {
  await database.asSystem('policy_objects_analyze', ({ query }) => sql`select policy_objects_analyze()`.execute(query));
}

/** What was saved before `saveObjects`, and not with it. */
export async function removeOthers({ query }: Transaction, { site }: Site): Promise<number> {
  const { numAffectedRows } = await sql`
    delete from policy_objects o where site_id = ${site}
       and not exists (select from incoming_objects i where i.kind = o.kind and i.id = o.id)`.execute(query);
  return Number(numAffectedRows ?? 0);
}
