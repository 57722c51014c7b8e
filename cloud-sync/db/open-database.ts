import type { Connections } from './connections.js';
import { createDatabase, type Database } from './database.js';
import { checkSchema } from './migrate.js';
import { openPglite } from './pglite.js';
import { connectPostgres } from './postgres.js';

export interface DatabaseLocation {
  /** `postgres://…` as libpq has it, or `pglite:FOLDER` for a database in this process. */
  readonly url: string;
  /** Of this process; the database in the process has one. */
  readonly connectionsMax: number;
}

const EMBEDDED = 'pglite:';

/** Throws ERR_DATABASE_IN_USE. A server is called when a connection is used first. */
export function openConnections({ url, connectionsMax }: DatabaseLocation): Promise<Connections> {
  return url.startsWith(EMBEDDED)
    ? openPglite(url.slice(EMBEDDED.length))
    : Promise.resolve(connectPostgres(url, connectionsMax));
}

/** Throws ERR_DATABASE_UNREACHABLE, ERR_DATABASE_IN_USE, ERR_DATABASE_SCHEMA_OLD or ERR_DATABASE_SCHEMA_NEW. */
export async function openDatabase(location: DatabaseLocation): Promise<Database> {
  const connections = await openConnections(location);
  try {
    await checkSchema(connections);
    return createDatabase(connections);
  } catch (error) {
    await connections.close();
    throw error;
  }
}
