import { sql } from 'kysely';
import { SparcError } from '@sparc/protocol/errors';
import type { Database } from './database.js';

/** Entries are kept for as long as this at least, whatever a tenant wishes. */
export const RETENTION_MIN_DAYS = 90;

export interface NewTenant {
  readonly name: string;
  /** Where its data is to lie, as the customer names it. */
  readonly region: string;
  /** At least RETENTION_MIN_DAYS. */
  readonly retentionDays: number;
}

export interface Tenant extends NewTenant {
  /** A UUID. */
  readonly id: string;
  /** Nothing of it is deleted, however old. */
  readonly isHeld: boolean;
}

/** Says its id. Throws what the database says where a value is out of range. */
export async function createTenant(database: Database, { name, region, retentionDays }: NewTenant): Promise<string> {
  const { rows } = await database.asSystem('tenant_create', ({ query }) =>
    sql<{ id: string }>`select tenant_create(${name}, ${region}, ${retentionDays}) as id`.execute(query),
  );
  return rows.map(({ id }) => id).join();
}

/** In the order in which they were made. */
export async function listTenants(database: Database): Promise<readonly Tenant[]> {
  const { rows } = await database.asSystem('tenant_list', ({ query }) =>
    sql<Tenant>`
      select id, name, region, retention_days as "retentionDays", legal_hold as "isHeld" from tenant_list()
    `.execute(query),
  );
  return rows;
}

/** It is written into the tenant's audit, as by `actor`. Throws ERR_DATABASE_TENANT_UNKNOWN. */
export async function setLegalHold(database: Database, tenant: string, isHeld: boolean, actor: string): Promise<void> {
  await database.inTenant(tenant, async ({ query }) => {
    const { numUpdatedRows } = await query.updateTable('tenants').set({ legal_hold: isHeld }).executeTakeFirst();
    if (numUpdatedRows === 0n) throw new SparcError('ERR_DATABASE_TENANT_UNKNOWN', `there is no tenant ${tenant}`);
    const act = isHeld ? 'tenant.hold' : 'tenant.release';
    const entry = { tenant_id: tenant, actor, act, subject: tenant, detail: '{}' };
    await query.insertInto('audit').values(entry).execute();
  });
}
