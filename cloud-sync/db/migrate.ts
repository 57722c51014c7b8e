import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SparcError } from '@sparc/protocol/errors';
import type { Connection, Connections } from './connections.js';
import { LOCK_NOT_AVAILABLE, runTransaction, SEARCH_PATH } from './database.js';

/** Changes within it only ever add: what runs an older version of the line goes on with a newer schema. */
export const SCHEMA_MAJOR = 1;
/** Longer than a short statement takes; who waits longer holds up everybody behind. */
const LOCK_TIMEOUT = '2s';
/** Of another migration: it takes as long as it takes. */
const MIGRATION_LOCK_TIMEOUT = '60s';
const MIGRATION_LOCK = 7_237_111;
const INSUFFICIENT_PRIVILEGE = '42501';

export interface SchemaVersion {
  readonly major: number;
  /** Number of the newest migration. */
  readonly minor: number;
}

interface Migration {
  /** 1, 2, …: that of its file, and the schema's minor version after it. */
  readonly number: number;
  readonly text: string;
}

/** SQL is no output of the compiler: it stays beside the sources. */
const SQL_FOLDER = join(import.meta.dirname, '..', '..', 'db');
const sqlFile = (name: string) => readFileSync(join(SQL_FOLDER, name), 'utf8');

/** The migrations of this version, `0001-….sql` and on, in order. */
export function migrationsIn(folder = join(SQL_FOLDER, 'migrations')): readonly Migration[] {
  return readdirSync(folder)
    .filter((name) => /^\d{4}-[a-z0-9-]+\.sql$/.test(name))
    .sort()
    .map((name) => ({ number: Number(name.slice(0, 4)), text: readFileSync(join(folder, name), 'utf8') }));
}

/**
 * Brings the schema to this version, each migration in a transaction, and says which ones ran. It waits for another one
 * that runs, and for nothing else for long. A newer schema of this major version is left as it is.
 * Throws ERR_DATABASE_BUSY, ERR_DATABASE_ROLES, ERR_DATABASE_SCHEMA_NEW or ERR_DATABASE_UNREACHABLE.
 */
export function migrate(connections: Connections, migrations = migrationsIn()): Promise<readonly number[]> {
  return connections.use(async (connection) => {
    const { client } = connection;
    await client.query(`set lock_timeout = '${MIGRATION_LOCK_TIMEOUT}'`);
    try {
      await refusing(client.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]));
      return await refusing(runMissing(connection, migrations));
    } finally {
      await client.query('select pg_advisory_unlock_all()').catch(connection.discard);
      await client.query('reset lock_timeout').catch(connection.discard);
    }
  });
}

async function runMissing(connection: Connection, migrations: readonly Migration[]): Promise<readonly number[]> {
  const found = await findSchemaVersion(connection);
  if (found !== undefined && found.major > SCHEMA_MAJOR) throw schemaNew(found);
  const missing = migrations.filter(({ number }) => number > (found?.minor ?? 0));
  if (missing.length > 0) await makeRoles(connection);
  if (found === undefined) await connection.client.query(sqlFile('schema.sql'));
  for (const migration of missing) await run(connection, migration);
  return missing.map(({ number }) => number);
}

/** Those that are missing on this server. */
export const makeRoles = ({ client }: Connection): Promise<unknown> => client.query(sqlFile('roles.sql'));

/**
 * As the owner, with `row_security` off: under forced row-level security the owner sees no row, so that an UPDATE would
 * change none and say nothing. Like this it is refused, and a migration that moves data does it as `sparc_bypass`.
 */
function run(connection: Connection, { number, text }: Migration): Promise<unknown> {
  const { client } = connection;
  const settings = {
    role: 'sparc_owner',
    search_path: SEARCH_PATH,
    lock_timeout: LOCK_TIMEOUT,
    row_security: 'off',
  } as const;
  return runTransaction(connection, settings, async () => {
    await client.query(text);
    await client.query('set local role sparc_owner');
    await client.query('update schema_version set major = $1, minor = $2', [SCHEMA_MAJOR, number]);
  });
}

/** Undefined before the first migration. */
export async function findSchemaVersion({ client }: Connection): Promise<SchemaVersion | undefined> {
  const { rows: tables } = await client.query<{ found: unknown }>(
    `select to_regclass('sparc.schema_version') as found`,
  );
  if (tables[0]?.found === null) return undefined;
  const { rows } = await client.query<SchemaVersion>('select major, minor from sparc.schema_version');
  return rows[0];
}

/** Throws ERR_DATABASE_SCHEMA_OLD or ERR_DATABASE_SCHEMA_NEW where this version cannot work with the schema that is there. */
export function checkSchema(connections: Connections, newest = migrationsIn().length): Promise<SchemaVersion> {
  return connections.use(async (connection) => {
    const found = await findSchemaVersion(connection);
    if (found !== undefined && found.major > SCHEMA_MAJOR) throw schemaNew(found);
    if (found !== undefined && found.major === SCHEMA_MAJOR && found.minor >= newest) return found;
    const version = found === undefined ? 'no schema' : `schema ${found.major}.${found.minor}`;
    throw new SparcError('ERR_DATABASE_SCHEMA_OLD', `it has ${version}, this version needs ${SCHEMA_MAJOR}.${newest}`);
  });
}

const schemaNew = ({ major, minor }: SchemaVersion) =>
  new SparcError('ERR_DATABASE_SCHEMA_NEW', `it has schema ${major}.${minor}, this version knows ${SCHEMA_MAJOR}.x`);

/** What the database refuses a migration, by its SQLSTATE. */
async function refusing<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const { code, message } = error as { readonly code?: string; readonly message: string };
    if (code === LOCK_NOT_AVAILABLE) throw new SparcError('ERR_DATABASE_BUSY', message, {}, { cause: error });
    if (code === INSUFFICIENT_PRIVILEGE) throw new SparcError('ERR_DATABASE_ROLES', message, {}, { cause: error });
    throw error;
  }
}
