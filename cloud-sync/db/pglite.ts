import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { createPgConfig } from '@electric-sql/pglite/node-postgres';
import pg from 'pg';
import { SparcError } from '@sparc/protocol/errors';
import { tryLock, type ExclusiveLock } from '../platform/index.js';
import { columnTypes, pooled, type Connections, type LoadRows } from './connections.js';
import { DurableFolder, durableParams } from './durable-folder.js';

/** The database in this process, in a folder of its own: one connection, one process at a time. */
export interface Embedded extends Connections {
  /** Everything in it, as a gzipped archive that `openPglite` takes. Whoever calls it has the connection. */
  dump(): Promise<Blob>;
}

/** `archive`: what a new folder begins with. Throws ERR_DATABASE_IN_USE, or ERR_DATABASE_UNREACHABLE for a folder that cannot be one. */
export async function openPglite(folder: string, archive?: Blob): Promise<Embedded> {
  const lock = lockOf(folder);
  if (lock === undefined) {
    throw new SparcError('ERR_DATABASE_IN_USE', `${folder} is open in another process`, { folder });
  }
  const database = await PGlite.create({
    fs: new DurableFolder(join(folder, 'data')),
    startParams: durableParams(PGlite.defaultStartParams),
    ...(archive !== undefined && { loadDataDir: archive }),
  });
  const pool = new pg.Pool({ ...createPgConfig(database), max: 1, types: columnTypes });
  const connections = pooled(pool, insertRows, async () => {
    await database.close();
    lock.release();
  });
  const listeners = new Map<string, (text: string) => void>();
  pool.on('connect', (client) =>
    client.on('notification', ({ channel, payload }) => listeners.get(channel)?.(payload ?? '')),
  );
  return {
    ...connections,
    transactionLimits: {},
    readLimits: {},
    listen: async (channel, onNotice) => {
      listeners.set(channel, onNotice);
      await connections.use(({ client }) => client.query(`listen ${pg.escapeIdentifier(channel)}`));
    },
    dump: () => database.dumpDataDir('gzip'),
  };
}

function lockOf(folder: string): ExclusiveLock | undefined {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return tryLock(join(folder, 'in-use.lock'));
  } catch (error) {
    const message = `${folder}: ${(error as Error).message}`;
    throw new SparcError('ERR_DATABASE_UNREACHABLE', message, { folder }, { cause: error });
  }
}

const PARAMETERS_MAX = 60_000;

/** COPY from a client ends PGlite: as many rows a statement as it has parameters for. */
const insertRows: LoadRows = async (client, table, rows) => {
  const columns = Object.keys(rows[0] ?? {});
  const names = columns.map((name) => pg.escapeIdentifier(name)).join(', ');
  const rowsMax = Math.floor(PARAMETERS_MAX / columns.length);
  for (let at = 0; at < rows.length; at += rowsMax) {
    const some = rows.slice(at, at + rowsMax);
    const places = some.map(
      (_, row) => `(${columns.map((_, column) => `$${row * columns.length + column + 1}`).join()})`,
    );
    const values = some.flatMap((row) => columns.map((name) => row[name] ?? null));
    await client.query(`insert into ${pg.escapeIdentifier(table)} (${names}) values ${places.join()}`, values);
  }
};
