import { sql } from 'kysely';
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

/** Says its id. */
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

/** What is changed is written into the tenant's audit by `actor`. */
export function setLegalHold(database: Database, tenantId: string, isHeld: boolean, actor: string): Promise<void> {
  return database.inTenant(tenantId, async ({ query }) => {
    await query.updateTable('tenants').set({ legal_hold: isHeld }).execute();
    const act = isHeld ? 'tenant.hold' : 'tenant.release';
    await query
      .insertInto('audit')
      .values({ tenant_id: tenantId, actor, act, subject: tenantId, detail: '{}' })
      .execute();
  });
}
