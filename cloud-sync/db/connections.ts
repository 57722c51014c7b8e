import { Kysely, PostgresDialect, type PostgresPoolClient } from 'kysely';
import pg from 'pg';
import { SparcError } from '@sparc/protocol/errors';
import type { Tables } from './tables.js';

/** A row on its way in; JSON is given as text. */
export type NewRow = Readonly<Record<string, Uint8Array | number | string | boolean | Date | null>>;

/** Puts rows into a temporary table of the transaction; each has the columns of the first. */
export type LoadRows = (client: pg.PoolClient, table: string, rows: readonly NewRow[]) => Promise<void>;

/** One connection, for as long as a transaction lasts. */
export interface Connection {
  readonly client: pg.PoolClient;
  readonly query: Kysely<Tables>;
  load(table: string, rows: readonly NewRow[]): Promise<void>;
  /** It is not to be used again. */
  readonly discard: () => void;
}

/** Where connections come from: a server, or the database in this process. */
export interface Connections {
  /** Settings for transactions on which others may have to wait; the database in this process has nobody who waits. */
  readonly transactionLimits: Readonly<Record<string, string>>;
  /** The same for those that only read, for somebody who waits for the answer. */
  readonly readLimits: Readonly<Record<string, string>>;
  /** Waits for one that is free. Throws ERR_DATABASE_UNREACHABLE. */
  use<T>(work: (connection: Connection) => Promise<T>): Promise<T>;
  /**
   * Hears what transactions tell by NOTIFY, once this has resolved. `onEnded`: not any more, because the connection is lost;
   * it is for the caller to begin again. Throws ERR_DATABASE_UNREACHABLE.
   */
  listen(channel: string, onNotice: (text: string) => void, onEnded: () => void): Promise<void>;
  /** Idempotent; waits for those in use. */
  close(): Promise<void>;
}

/** 64 bits as a number: nothing that is stored comes to 2^53. */
export const columnTypes: pg.CustomTypesConfig = {
  getTypeParser: (oid, format) =>
    (oid === pg.types.builtins.INT8 ? Number : pg.types.getTypeParser(oid, format)) as never,
};

/** Connections of a pool; `closed` runs after its last one is closed. */
export function pooled(pool: pg.Pool, load: LoadRows, closed: () => Promise<void>): Pick<Connections, 'use' | 'close'> {
  // A connection that is lost fails the query that runs on it, and the next one takes another.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  const queries = new WeakMap<pg.PoolClient, Kysely<Tables>>();
  let closing: Promise<void> | undefined;
  return {
    async use(work) {
      const client = await reaching(pool.connect());
      const query = queries.get(client) ?? queryBuilderOn(client);
      queries.set(client, query);
      let isBroken = false;
      try {
        return await work({
          client,
          query,
          load: (table, rows) => (rows.length === 0 ? Promise.resolve() : load(client, table, rows)),
          discard: () => (isBroken = true),
        });
      } finally {
        client.release(isBroken);
      }
    },
    close: () => (closing ??= pool.end().then(closed)),
  };
}

/** What a call of the server comes to. Throws ERR_DATABASE_UNREACHABLE. */
export async function reaching<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw new SparcError('ERR_DATABASE_UNREACHABLE', (error as Error).message, {}, { cause: error });
  }
}

/** Kysely takes connections from a pool; this one has a single connection, which stays ours. */
function queryBuilderOn(client: pg.PoolClient): Kysely<Tables> {
  const single: PostgresPoolClient = {
    query: client.query.bind<pg.PoolClient['query']>(client),
    release: () => undefined,
  };
  const pool = { connect: () => Promise.resolve(single), end: () => Promise.resolve() };
  return new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
}

/** Closes them when `work` is done. */
export async function closing<C extends Connections, T>(
  connections: C,
  work: (connections: C) => Promise<T>,
): Promise<T> {
  try {
    return await work(connections);
  } finally {
    await connections.close();
  }
}
