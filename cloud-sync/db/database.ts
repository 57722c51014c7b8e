import type { Kysely } from 'kysely';
import { SparcError } from '@sparc/protocol/errors';
import type { Connection, Connections, NewRow } from './connections.js';
import { Seals } from './seals.js';
import type { SystemPurpose } from './system-functions.js';
import type { Tables } from './tables.js';

/** What a transaction can do. It is over when the function that got it has resolved. */
export interface Transaction {
  readonly query: Kysely<Tables>;
  /**
   * Puts many rows into a temporary table of this transaction (COPY does not work under row-level security), to be
   * inserted from there. Each row has the columns of the first.
   */
  load(table: string, rows: readonly NewRow[]): Promise<void>;
  /** Of columns that nobody is to read who has the database alone. */
  readonly seals: Seals;
}

/** It is of no tenant. */
export type SystemTransaction = Omit<Transaction, 'seals'>;

/**
 * The database of the cloud tier. Nothing is read or written but in a transaction, and a transaction belongs to one tenant
 * or calls what works across them.
 */
export interface Database {
  /**
   * Sees rows of this tenant and writes for it alone. All or nothing. Throws what `work` throws, what the database says, and
   * ERR_DATABASE_BUSY where others keep what it needs for too long, ERR_DATABASE_TENANT_UNKNOWN or ERR_DATABASE_TEXT_INVALID.
   */
  inTenant<T>(tenantId: string, work: (transaction: Transaction) => Promise<T>): Promise<T>;
  /** As `inTenant`, for a person who waits for what is read. Throws ERR_DATABASE_SLOW where a query takes too long. */
  readInTenant: Database['inTenant'];
  /** Sees no row of any tenant, and may call the functions of `SYSTEM_FUNCTIONS`. */
  asSystem<T>(purpose: SystemPurpose, work: (transaction: SystemTransaction) => Promise<T>): Promise<T>;
  /** As `Connections.listen`. */
  listen: Connections['listen'];
  /** Idempotent; waits for transactions under way. */
  close(): Promise<void>;
}

/** For a whole transaction, and given up with it, so that a connection that is used again starts from nothing. */
export interface Settings {
  readonly role: 'sparc_app' | 'sparc_system' | 'sparc_owner' | 'sparc_bypass' | 'sparc_backup';
  readonly search_path: string;
  readonly [setting: string]: string;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** SQLSTATE. */
export const LOCK_NOT_AVAILABLE = '55P03';
const QUERY_CANCELED = '57014';
const FOREIGN_KEY_VIOLATION = '23503';
/** Of a NUL in a text, and in JSON. */
const TEXT_INVALID: readonly (string | undefined)[] = ['22021', '22P05'];

/** `secret`: what the seals are made from, 32 bytes. */
export function createDatabase(connections: Connections, secret: Uint8Array): Database {
  const within =
    (limits: Connections['transactionLimits']): Database['inTenant'] =>
    async (tenantId, work) => {
      if (!UUID.test(tenantId)) throw tenantUnknown(`'${tenantId}' is no id of a tenant`);
      return inTransaction(
        connections,
        { ...limits, role: 'sparc_app', search_path: SEARCH_PATH, 'sparc.tenant': tenantId },
        (connection) => work({ ...connection, seals: new Seals(secret, tenantId) }),
      ).catch(refused);
    };
  return {
    inTenant: within(connections.transactionLimits),
    readInTenant: within(connections.readLimits),
    asSystem: (purpose, work) =>
      inTransaction(
        connections,
        { role: 'sparc_system', search_path: SEARCH_PATH, application_name: `sparc-cloud ${purpose}` },
        work,
      ).catch(refused),
    listen: (...of) => connections.listen(...of),
    close: () => connections.close(),
  };
}

function refused(error: unknown): never {
  const { code, constraint, message } = error as { code?: string; constraint?: string; message: string };
  if (code === FOREIGN_KEY_VIOLATION && constraint?.endsWith('_tenant_id_fkey') === true)
    throw tenantUnknown(message, error);
  if (code === LOCK_NOT_AVAILABLE) throw new SparcError('ERR_DATABASE_BUSY', message, {}, { cause: error });
  if (code === QUERY_CANCELED) throw new SparcError('ERR_DATABASE_SLOW', message, {}, { cause: error });
  if (TEXT_INVALID.includes(code)) throw new SparcError('ERR_DATABASE_TEXT_INVALID', message, {}, { cause: error });
  throw error;
}

const tenantUnknown = (message: string, cause?: unknown) =>
  new SparcError('ERR_DATABASE_TENANT_UNKNOWN', message, {}, { cause });

/** Temporary tables last, so that none stands before one of ours. */
export const SEARCH_PATH = 'sparc, pg_temp';

/** As `runTransaction`, on any connection that is free. */
export function inTransaction<T>(
  connections: Connections,
  settings: Settings,
  work: (connection: Connection) => Promise<T>,
): Promise<T> {
  return connections.use((connection) => runTransaction(connection, settings, () => work(connection)));
}

/** Commits what `work` did, unless it throws, or hid an error of the database that ended the transaction. */
export async function runTransaction<T>(
  { client, discard }: Connection,
  settings: Settings,
  work: () => Promise<T>,
  isolation: 'read committed' | 'repeatable read' = 'read committed',
): Promise<T> {
  await client.query(`begin isolation level ${isolation}`);
  try {
    await applySettings(client, settings);
    const result = await work();
    // The answer to the commit of a transaction that has failed.
    if ((await client.query('commit')).command === 'ROLLBACK')
      throw new Error('an error in the transaction was passed over');
    return result;
  } catch (error) {
    await client.query('rollback').catch(discard);
    throw error;
  }
}

/** In one round trip. The role comes last, for it may not be allowed to set the others. */
async function applySettings(client: Connection['client'], { role, ...others }: Settings): Promise<void> {
  const all = [...Object.entries(others), ['role', role]];
  const calls = all.map((_, index) => `set_config($${2 * index + 1}, $${2 * index + 2}, true)`);
  await client.query(`select ${calls.join(', ')}`, all.flat());
}
