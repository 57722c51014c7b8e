import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { createPgConfig } from '@electric-sql/pglite/node-postgres';
import pg from 'pg';
import { SparcError } from '@sparc/protocol/errors';
import { tryLock } from '../platform/index.js';
import { columnTypes, pooled, type Connections, type LoadRows } from './connections.js';

/**
 * The database in this process, in a folder of its own. It has one connection, and one process at a time.
 * Throws ERR_DATABASE_IN_USE.
 */
export async function openPglite(folder: string): Promise<Connections> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const lock = tryLock(join(folder, 'in-use.lock'));
  if (lock === undefined)
    throw new SparcError('ERR_DATABASE_IN_USE', `${folder} is open in another process`, { folder });
  const database = await PGlite.create(join(folder, 'data'));
  return poolOf(database, () => lock.release());
}

function poolOf(database: PGlite, closed: () => void): Connections {
  const pool = new pg.Pool({ ...createPgConfig(database), max: 1, types: columnTypes });
  return pooled(pool, insertRows, async () => {
    await database.close();
    closed();
  });
}

/** COPY from a client ends PGlite. */
const insertRows: LoadRows = async (client, table, rows) => {
  const name = pg.escapeIdentifier(table);
  const columns = Object.keys(rows[0] ?? {})
    .map((column) => pg.escapeIdentifier(column))
    .join(', ');
  await client.query(
    `insert into ${name} (${columns}) select ${columns} from jsonb_populate_recordset(null::${name}, $1)`,
    [JSON.stringify(rows, bytesAsText)],
  );
};

function bytesAsText(_key: string, value: unknown): unknown {
  return value instanceof Uint8Array ? `\\x${Buffer.from(value).toString('hex')}` : value;
}
