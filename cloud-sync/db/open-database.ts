import type { Connections } from './connections.js';
import { createDatabase, type Database } from './database.js';
import { checkSchema, migrate } from './migrate.js';
import { assertSealedWith } from './seals.js';
import { openPglite } from './pglite.js';
import { connectPostgres } from './postgres.js';

export interface DatabaseLocation {
  /** `postgres://…` as libpq has it, or `pglite:FOLDER` for a database in this process. */
  readonly url: string;
  /** Of this process; the database in the process has one. */
  readonly connectionsMax: number;
}

const EMBEDDED = 'pglite:';

/** The folder of a database in this process; undefined for a server. */
export const embeddedFolder = ({ url }: DatabaseLocation): string | undefined =>
  url.startsWith(EMBEDDED) ? url.slice(EMBEDDED.length) : undefined;

/** Throws ERR_DATABASE_IN_USE. A server is called when a connection is used first. */
export async function openConnections(location: DatabaseLocation): Promise<Connections> {
  const folder = embeddedFolder(location);
  return folder === undefined ? connectPostgres(location.url, location.connectionsMax) : openPglite(folder);
}

/**
 * One in this process is brought to this version, for nobody else could.
 * `secret`: as `createDatabase`.
 * Throws ERR_DATABASE_UNREACHABLE, ERR_DATABASE_IN_USE, ERR_DATABASE_SCHEMA_OLD, ERR_DATABASE_SCHEMA_NEW or ERR_DATABASE_KEY_OTHER.
 */
export async function openDatabase(location: DatabaseLocation, secret: Uint8Array): Promise<Database> {
  const connections = await openConnections(location);
  try {
    if (embeddedFolder(location) !== undefined) await migrate(connections);
    await checkSchema(connections);
    const database = createDatabase(connections, secret);
    await assertSealedWith(database, secret);
    return database;
  } catch (error) {
    await connections.close();
    throw error;
  }
}
