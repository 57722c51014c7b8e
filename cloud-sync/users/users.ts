import { sql, type Selectable } from 'kysely';
import { SparcError } from '@sparc/protocol/errors';
import type { Random } from '@sparc/protocol/ports';
import type { Database, Transaction, Users } from '../db/index.js';
import { audit } from './audit.js';
import { hashPassword, isPassword } from './password.js';
import type { Identity, Role } from './roles.js';

export interface User {
  /** A UUID. */
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  /** It cannot log in, and what it does ends at once. */
  readonly isBarred: boolean;
  readonly createdUnixMs: number;
  readonly lastLoginUnixMs?: number;
}

export interface NewUser {
  readonly name: string;
  readonly role: Role;
  readonly password: string;
}

export interface UserChange {
  readonly role?: Role;
  readonly password?: string;
  readonly isBarred?: boolean;
}

/** Who makes or changes somebody: a user of the tenant, or the command line. */
type Actor = Pick<Identity, 'tenant' | 'name'>;

/** In lower case: letters, digits and `. @ _ + -`. */
export const LOGIN_NAME = '^[A-Za-z0-9][A-Za-z0-9.@_+-]{0,99}$';
const UNIQUE_VIOLATION = '23505';

/** Throws ERR_USER_NAME_TAKEN. */
export async function createUser(
  database: Database,
  random: Random,
  actor: Actor,
  { name, role, password }: NewUser,
): Promise<User> {
  const row = {
    tenant_id: actor.tenant,
    name: name.toLowerCase(),
    role,
    password: await hashPassword(random, password),
  };
  try {
    return await database.inTenant(actor.tenant, async (transaction) => {
      const made = await transaction.query.insertInto('users').values(row).returningAll().executeTakeFirstOrThrow();
      await audit(transaction, actor, 'user.create', row.name, { role });
      return userOf(made);
    });
  } catch (error) {
    if ((error as { readonly code?: string }).code !== UNIQUE_VIOLATION) throw error;
    throw new SparcError('ERR_USER_NAME_TAKEN', `somebody is called ${row.name} already`, {}, { cause: error });
  }
}

export const listUsers = ({ query }: Transaction): Promise<readonly User[]> =>
  query
    .selectFrom('users')
    .selectAll()
    .orderBy('name')
    .execute()
    .then((rows) => rows.map(userOf));

/**
 * A change ends the logins under way, and barring voids the claim codes that they made. Throws ERR_USER_UNKNOWN and
 * ERR_USER_LAST_ADMINISTRATOR.
 */
export async function changeUser(
  database: Database,
  random: Random,
  actor: Actor,
  id: string,
  { role, password, isBarred }: UserChange,
): Promise<User> {
  const change = {
    ...(role !== undefined && { role }),
    ...(password !== undefined && { password: await hashPassword(random, password) }),
    ...(isBarred !== undefined && { barred_at: isBarred ? sql<Date>`now()` : null }),
  };
  return database.inTenant(actor.tenant, async (transaction) => {
    const { query } = transaction;
    const isAdministratorNoMore = isBarred === true || (role !== undefined && role !== 'administrator');
    if (isAdministratorNoMore) await assertNotLast(transaction, id);
    // At least one column, or there is nothing to update.
    const changing = query.updateTable('users').set({ tenant_id: actor.tenant, ...change });
    const changed = await changing.where('id', '=', id).returningAll().executeTakeFirst();
    if (changed === undefined) throw new SparcError('ERR_USER_UNKNOWN', `there is no user ${id}`);
    await query.deleteFrom('sessions').where('user_id', '=', id).execute();
    if (isAdministratorNoMore) {
      // Nor does a gateway come in by a code that they took along.
      await query.deleteFrom('claim_codes').where('made_by', '=', changed.name).where('used_at', 'is', null).execute();
    }
    const said = { ...(role !== undefined && { role }), ...(isBarred !== undefined && { isBarred }) };
    await audit(transaction, actor, 'user.change', changed.name, { ...said, hasNewPassword: password !== undefined });
    return userOf(changed);
  });
}

/** Where somebody else ceases to be one at the same moment, this waits for that. Throws ERR_USER_LAST_ADMINISTRATOR. */
async function assertNotLast({ query }: Transaction, id: string): Promise<void> {
  const administrators = await query
    .selectFrom('users')
    .select(['id', 'name'])
    .where('role', '=', 'administrator')
    .where('barred_at', 'is', null)
    .orderBy('id')
    .forUpdate()
    .execute();
  const [last] = administrators;
  if (administrators.length !== 1 || last?.id !== id) return;
  throw new SparcError('ERR_USER_LAST_ADMINISTRATOR', `nobody but ${last.name} manages this tenant`);
}

/** Whom a restore barred, along with everybody. */
export const listBarredByRestore = ({ query }: Transaction): Promise<readonly User[]> =>
  query
    .selectFrom('users')
    .selectAll('users')
    .innerJoin('incarnation', 'incarnation.began_at', 'users.barred_at')
    .orderBy('users.name')
    .execute()
    .then((rows) => rows.map(userOf));

/** Who logs in, by name and password. */
export interface Found {
  readonly tenant: string;
  readonly id: string;
  readonly isRight: boolean;
}

/** Undefined where nobody who is not barred has the name. */
export async function findUser(database: Database, name: string, password: string): Promise<Found | undefined> {
  const { rows } = await database.asSystem('user_find', ({ query }) =>
    sql<{ tenant: string; id: string; password: string }>`
      select tenant_id as tenant, id, password from user_find(${name.toLowerCase()})
    `.execute(query),
  );
  const [found] = rows;
  const isRight = await isPassword(found?.password, password);
  return found && { tenant: found.tenant, id: found.id, isRight };
}

function userOf({ id, name, role, barred_at, created_at, logged_in_at }: Selectable<Users>): User {
  return {
    id,
    name,
    role,
    isBarred: barred_at !== null,
    createdUnixMs: created_at.getTime(),
    ...(logged_in_at !== null && { lastLoginUnixMs: logged_in_at.getTime() }),
  };
}
