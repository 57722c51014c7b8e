import { existsSync } from 'node:fs';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { SparcError } from '@sparc/protocol/errors';
import { dumpFile, makeBackupFolder, readManifest, syncFolder, writeManifest, type Manifest } from './backup-files.js';
import { closing, type Connection, type Connections } from './connections.js';
import { beginIncarnation } from './incarnation.js';
import { checkSchema, makeRoles } from './migrate.js';
import { embeddedFolder, openConnections, type DatabaseLocation } from './open-database.js';
import { openPglite } from './pglite.js';
import { dumpPostgres, restorePostgres } from './postgres-dump.js';
import { compareCounts, countingTables } from './table-counts.js';

const kindOf = (location: DatabaseLocation): Manifest['kind'] =>
  embeddedFolder(location) === undefined ? 'postgres' : 'pglite';

/**
 * Dumps the database into a new folder, with a manifest of what was counted in the same state of it. A server goes on
 * meanwhile; the embedded database must not be open.
 * Throws ERR_CLI_WRITE_FAILED, ERR_DATABASE_TOOL, ERR_DATABASE_IN_USE, and as `openDatabase` does.
 */
export async function backup(location: DatabaseLocation, folder: string, madeAt: Date): Promise<Manifest> {
  const embedded = embeddedFolder(location);
  const database = embedded === undefined ? undefined : await openPglite(embedded);
  return closing(database ?? (await openConnections(location)), async (connections) => {
    const schema = await checkSchema(connections);
    await makeBackupFolder(folder);
    const tables = await connections.use((connection) =>
      countingTables(connection, async (counts) => {
        if (database === undefined) await dumpPostgres(location.url, await snapshotOf(connection), dumpFile(folder));
        return counts;
      }),
    );
    if (database !== undefined) await writeFile(dumpFile(folder), (await database.dump()).stream(), { mode: 0o600 });
    return writeManifest(folder, { madeAt: madeAt.toISOString(), schema, kind: kindOf(location), tables: [...tables] });
  });
}

async function snapshotOf({ client }: Connection): Promise<string> {
  const { rows } = await client.query<{ id: string }>('select pg_export_snapshot() as id');
  return rows.map(({ id }) => id).join();
}

/**
 * Makes a new database of a backup, and compares what is in it then. It begins a new life: what was committed after the
 * backup is not in it.
 * Throws ERR_DATABASE_BACKUP_DAMAGED, ERR_DATABASE_BACKUP_KIND, ERR_DATABASE_NOT_EMPTY, ERR_DATABASE_TOOL,
 * ERR_DATABASE_BACKUP_DIFFERS.
 */
export async function restore(location: DatabaseLocation, folder: string): Promise<Manifest> {
  const manifest = await readManifest(folder);
  if (manifest.kind !== kindOf(location)) {
    throw new SparcError('ERR_DATABASE_BACKUP_KIND', `${folder} is of ${manifest.kind}`, { folder });
  }
  const embedded = embeddedFolder(location);
  if (embedded === undefined) return comparingNew(await intoServer(location, folder), manifest);
  if (existsSync(embedded)) throw notEmpty(`${embedded} exists`);
  // By its name it is there when it is whole; what is left of one that was cut off makes room.
  const unfinished = `${embedded}.restoring`;
  await rm(unfinished, { recursive: true, force: true });
  const archive = new Blob([await readFile(dumpFile(folder))], { type: 'application/x-gzip' });
  await comparingNew(await openPglite(unfinished, archive), manifest);
  await rename(unfinished, embedded);
  await syncFolder(dirname(embedded));
  return manifest;
}

/** Its life begins last: whatever comes in between, no authority signs in it. */
const comparingNew = (restored: Connections, manifest: Manifest): Promise<Manifest> =>
  closing(restored, async (connections) => {
    await comparing(connections, manifest);
    await beginIncarnation(connections);
    return manifest;
  });

async function intoServer(location: DatabaseLocation, folder: string): Promise<Connections> {
  const connections = await openConnections(location);
  try {
    await connections.use(async (connection) => {
      const found = await connection.client.query(`select from pg_namespace where nspname = 'sparc'`);
      if (found.rowCount !== 0) throw notEmpty('it has a schema of this name');
      await makeRoles(connection);
    });
    await restorePostgres(location.url, dumpFile(folder));
    return connections;
  } catch (error) {
    await connections.close();
    throw error;
  }
}

const notEmpty = (why: string) => new SparcError('ERR_DATABASE_NOT_EMPTY', why);

/**
 * Whether a backup is whole, and the database holds just what it counted.
 * Throws ERR_DATABASE_BACKUP_DAMAGED, ERR_DATABASE_BACKUP_DIFFERS, and as `openConnections` does.
 */
export async function verifyBackup(location: DatabaseLocation, folder: string): Promise<Manifest> {
  const manifest = await readManifest(folder);
  return closing(await openConnections(location), (connections) => comparing(connections, manifest));
}

async function comparing(connections: Connections, manifest: Manifest): Promise<Manifest> {
  await connections.use((connection) =>
    countingTables(connection, async (counts) => compareCounts(manifest.tables, counts)),
  );
  return manifest;
}
