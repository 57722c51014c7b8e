import { SparcError } from '@sparc/protocol/errors';
import pg from 'pg';
import type { Connection } from './connections.js';
import { runTransaction, SEARCH_PATH } from './database.js';

/** What a table holds, in any order of its rows. */
export interface TableCount {
  readonly table: string;
  readonly rowsCount: number;
  /** Over all columns of all rows: the sum of the first 64 bits of the SHA-256 of each row's text. */
  readonly digest: string;
}

/**
 * Sees all rows, and one state of them. With `row_security` off a role that would see a part of them is refused: a count
 * that is too low would pass an empty dump off as a whole one. The rest is what the text of a value depends on.
 */
const SETTINGS = {
  role: 'sparc_backup',
  search_path: SEARCH_PATH,
  row_security: 'off',
  timezone: 'UTC',
  datestyle: 'ISO',
  intervalstyle: 'iso_8601',
  bytea_output: 'hex',
} as const;

/**
 * Counts every table but the one that tells lives of the database apart; `work` runs in the same transaction, which sees nothing that was
 * committed since it began.
 */
export function countingTables<T>(
  connection: Connection,
  work: (counts: readonly TableCount[]) => Promise<T>,
): Promise<T> {
  const { client } = connection;
  const count = async () => {
    const { rows } = await client.query<{ name: string }>(`
      select relname as name from pg_class
       where relnamespace = 'sparc'::regnamespace and relkind in ('r', 'p') and not relispartition
         and relname <> 'incarnation'
       order by relname`);
    const counts: TableCount[] = [];
    for (const { name } of rows) counts.push(await countTable(client, name));
    return work(counts);
  };
  return runTransaction(connection, SETTINGS, count, 'repeatable read');
}

async function countTable(client: Connection['client'], table: string): Promise<TableCount> {
  const { rows } = await client.query<Omit<TableCount, 'table'>>(`
    select count(*) as "rowsCount",
           coalesce(sum(('x' || encode(substr(sha256(convert_to(t::text, 'UTF8')), 1, 8), 'hex'))::bit(64)::bigint), 0)::text
             as digest
      from ${pg.escapeIdentifier(table)} t`);
  const { rowsCount = 0, digest = '' } = rows[0] ?? {};
  return { table, rowsCount, digest };
}

/** Throws ERR_DATABASE_BACKUP_DIFFERS where a database does not hold what was counted, and names the tables. */
export function compareCounts(expected: readonly TableCount[], found: readonly TableCount[]): void {
  const [before, after] = [byTable(expected), byTable(found)];
  const tables = [...new Set([...before.keys(), ...after.keys()])].filter(
    (name) => before.get(name) !== after.get(name),
  );
  if (tables.length === 0) return;
  const lines = tables.map((name) => `${name}: ${before.get(name) ?? 'absent'}, now ${after.get(name) ?? 'absent'}`);
  throw new SparcError('ERR_DATABASE_BACKUP_DIFFERS', lines.join('\n'), { tables });
}

const byTable = (counts: readonly TableCount[]): ReadonlyMap<string, string> =>
  new Map(counts.map(({ table, rowsCount, digest }) => [table, `${rowsCount} rows with digest ${digest}`]));
