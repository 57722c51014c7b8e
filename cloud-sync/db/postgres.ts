import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { columnTypes, pooled, reaching, type Connections, type LoadRows, type NewRow } from './connections.js';

const CONNECT_MAX_MS = 10_000;
/** A connection that somebody on the way has forgotten ends within half a minute, also where it only listens. */
const ANSWERING = {
  connectionTimeoutMillis: CONNECT_MAX_MS,
  keepAlive: true,
  keepAliveInitialDelayMillis: 10_000,
} as const;
/**
 * Whoever waits for a lock has a connection meanwhile, of which a process has few. And of a machine that is gone in the middle
 * of a transaction the server hears nothing: TCP gives up after hours.
 */
const TRANSACTION_LIMITS = {
  lock_timeout: '15s',
  idle_in_transaction_session_timeout: '30s',
} as const;
/** Somebody who asks for what takes long keeps a connection from all others. */
const READ_LIMITS = { statement_timeout: '15s', ...TRANSACTION_LIMITS } as const;

/** A PostgreSQL server, version 15 or later. `url` as libpq has it; `connectionsMax` is of this process. */
export function connectPostgres(url: string, connectionsMax: number): Connections {
  const pool = new pg.Pool({
    connectionString: url,
    max: connectionsMax,
    ...ANSWERING,
    types: columnTypes,
  });
  const listening = new Set<pg.Client>();
  const connections = pooled(pool, copyRows, async () => {
    const all = [...listening];
    listening.clear();
    await Promise.all(all.map((client) => client.end()));
  });
  return {
    ...connections,
    transactionLimits: TRANSACTION_LIMITS,
    readLimits: READ_LIMITS,
    listen: async (channel, onNotice, onEnded) => {
      const client = new pg.Client({ connectionString: url, ...ANSWERING });
      client.on('error', () => undefined);
      client.on('notification', ({ payload }) => onNotice(payload ?? ''));
      client.once('end', () => {
        if (listening.delete(client)) onEnded();
      });
      try {
        await reaching(client.connect());
        await client.query(`listen ${pg.escapeIdentifier(channel)}`);
        listening.add(client);
      } catch (error) {
        await client.end().catch(() => undefined);
        throw error;
      }
    },
  };
}

/** By COPY, which takes many rows in one go. */
const copyRows: LoadRows = async (client, table, rows) => {
  const columns = Object.keys(rows[0] ?? {});
  const names = columns.map((name) => pg.escapeIdentifier(name)).join(', ');
  const copy = client.query(copyFrom(`copy ${pg.escapeIdentifier(table)} (${names}) from stdin`));
  await pipeline(Readable.from(lines(rows, columns)), copy);
};

const LINES_AT_ONCE = 256;

function* lines(rows: readonly NewRow[], columns: readonly string[]): Generator<string> {
  for (let at = 0; at < rows.length; at += LINES_AT_ONCE) {
    const some = rows.slice(at, at + LINES_AT_ONCE);
    yield some.map((row) => `${columns.map((name) => copyText(row[name] ?? null)).join('\t')}\n`).join('');
  }
}

/** The text format of COPY: columns between tabs, one row a line. */
function copyText(value: NewRow[string]): string {
  if (value === null) return '\\N';
  if (value instanceof Uint8Array)
    return `\\\\x${Buffer.from(value.buffer, value.byteOffset, value.length).toString('hex')}`;
  if (value instanceof Date) return value.toISOString();
  return String(value).replace(/[\\\t\n\r]/g, (sign) => ESCAPES[sign] ?? '');
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };
