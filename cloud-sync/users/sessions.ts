import { hash, timingSafeEqual } from 'node:crypto';
import { sql } from 'kysely';
import { isSparcError, SparcError } from '@sparc/protocol/errors';
import type { Clock, Random } from '@sparc/protocol/ports';
import type { Database, Transaction } from '../db/index.js';
import type { Identity } from './roles.js';

const ID_BYTES = 16;
const SECRET_BYTES = 32;

/** A login under way. */
export interface Session {
  readonly tenant: string;
  /** A UUID. */
  readonly id: string;
}

/** A login that just began or went on. */
export interface Renewal {
  readonly session: Session;
  readonly identity: Identity;
  readonly tenantName: string;
  /** Good once. */
  readonly refreshToken: string;
}

/**
 * Logins. Each has one refresh token that is good, and is changed for another whenever it is used; when one is used twice,
 * somebody else has it, and the login ends.
 */
export class Sessions {
  constructor(
    private readonly deps: { readonly database: Database; readonly clock: Clock; readonly random: Random },
    private readonly lastsMs: number,
  ) {}

  /** For a user who has shown the password. */
  async open(tenant: string, user: string): Promise<Renewal> {
    const session = { tenant, id: asUuid(this.deps.random.bytes(ID_BYTES)) };
    const secret = this.#secret();
    return this.deps.database.inTenant(tenant, async (transaction) => {
      const { query } = transaction;
      await query
        .insertInto('sessions')
        .values({ tenant_id: tenant, id: session.id, user_id: user, ...this.#good(secret) })
        .execute();
      await query.updateTable('users').set({ logged_in_at: this.#now() }).where('id', '=', user).execute();
      return this.#renewal(transaction, session, secret);
    });
  }

  /** Throws ERR_API_TOKEN_REFUSED. */
  async renew(refreshToken: string): Promise<Renewal> {
    const { session, secret } = readToken(refreshToken);
    const renewed = await this.deps.database.inTenant(session.tenant, async (transaction) => {
      const { query } = transaction;
      const found = await query
        .selectFrom('sessions')
        .select('refresh_hash')
        .where('id', '=', session.id)
        .forUpdate()
        .executeTakeFirst();
      if (found === undefined) return undefined;
      if (!timingSafeEqual(found.refresh_hash, sha256(secret))) {
        await end(transaction, session);
        return undefined;
      }
      if ((await this.#identity(transaction, session)) === undefined) return undefined;
      const next = this.#secret();
      await query.updateTable('sessions').set(this.#good(next)).where('id', '=', session.id).execute();
      return this.#renewal(transaction, session, next);
    });
    if (renewed === undefined) throw refused();
    return renewed;
  }

  /** Throws ERR_API_TOKEN_REFUSED for a login that has ended, or a user who was barred. */
  async identity(session: Session): Promise<Identity> {
    const found = await this.deps.database.inTenant(session.tenant, (transaction) =>
      this.#identity(transaction, session),
    );
    if (found === undefined) throw refused();
    return found;
  }

  /** Also while the database cannot be asked. */
  async isGoing(session: Session): Promise<boolean> {
    try {
      await this.identity(session);
      return true;
    } catch (error) {
      return !isSparcError(error, 'ERR_API_TOKEN_REFUSED');
    }
  }

  /** Idempotent. */
  async end(refreshToken: string): Promise<void> {
    const { session } = readToken(refreshToken);
    await this.deps.database.inTenant(session.tenant, (transaction) => end(transaction, session));
  }

  async #renewal(transaction: Transaction, session: Session, secret: Uint8Array): Promise<Renewal> {
    const identity = await this.#identity(transaction, session);
    const { name } = await transaction.query.selectFrom('tenants').select('name').executeTakeFirstOrThrow();
    if (identity === undefined) throw refused();
    return { session, identity, tenantName: name, refreshToken: writeToken(session, secret) };
  }

  async #identity({ query }: Transaction, { tenant, id }: Session): Promise<Identity | undefined> {
    const found = await query
      .selectFrom('sessions')
      .innerJoin('users', 'users.id', 'sessions.user_id')
      .select(['users.id', 'users.name', 'users.role'])
      .where('sessions.id', '=', id)
      .where('sessions.expires_at', '>', this.#now())
      .where('users.barred_at', 'is', null)
      .executeTakeFirst();
    return found && { tenant, user: found.id, name: found.name, role: found.role };
  }

  #good(secret: Uint8Array): { readonly refresh_hash: Buffer; readonly expires_at: Date } {
    return { refresh_hash: sha256(secret), expires_at: new Date(this.#now().getTime() + this.lastsMs) };
  }

  #secret(): Uint8Array {
    return this.deps.random.bytes(SECRET_BYTES);
  }

  #now(): Date {
    return new Date(this.deps.clock.wall().unixMs);
  }
}

/** Forgets logins that have ended by themselves. */
export async function expireSessions(database: Database): Promise<void> {
  await database.asSystem('sessions_expire', ({ query }) => sql`select sessions_expire()`.execute(query));
}

const end = ({ query }: Transaction, { id }: Session) => query.deleteFrom('sessions').where('id', '=', id).execute();

const refused = () => new SparcError('ERR_API_TOKEN_REFUSED', 'this login has ended');

const sha256 = (bytes: Uint8Array): Buffer => hash('sha256', bytes, 'buffer');

/** Tenant, session and secret. */
const writeToken = ({ tenant, id }: Session, secret: Uint8Array): string =>
  Buffer.concat([uuidBytes(tenant), uuidBytes(id), secret]).toString('base64url');

function readToken(token: string): { readonly session: Session; readonly secret: Uint8Array } {
  const bytes = Buffer.from(token, 'base64url');
  if (bytes.length !== 2 * ID_BYTES + SECRET_BYTES) throw refused();
  return {
    session: { tenant: asUuid(bytes.subarray(0, ID_BYTES)), id: asUuid(bytes.subarray(ID_BYTES, 2 * ID_BYTES)) },
    secret: bytes.subarray(2 * ID_BYTES),
  };
}

const uuidBytes = (uuid: string): Buffer => Buffer.from(uuid.replaceAll('-', ''), 'hex');

const asUuid = (bytes: Uint8Array): string =>
  Buffer.from(bytes)
    .toString('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
