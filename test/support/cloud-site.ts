import { createDatabase, createTenant, type Connections, type Database } from '@sparc/cloud-sync/db';
import { SEALING_SECRET } from './sealing.js';

/** A tenant with the site `harbour` and gateways of these keys, as enrolment leaves them. */
export async function cloudSite(
  connections: Connections,
  gateways: readonly Uint8Array[],
): Promise<{ readonly database: Database; readonly tenant: string }> {
  const database = createDatabase(connections, SEALING_SECRET);
  const tenant = await createTenant(database, { name: 'Port', region: 'eu', retentionDays: 90 });
  await database.inTenant(tenant, async ({ query }) => {
    await query.insertInto('sites').values({ tenant_id: tenant, id: 'harbour', name: 'Harbour' }).execute();
    for (const [index, key] of gateways.entries()) {
      const row = { tenant_id: tenant, site_id: 'harbour', id: Buffer.from(key), name: `gate ${index}` };
      await query
        .insertInto('gateways')
        .values({ ...row, state: 'active' })
        .execute();
    }
  });
  return { database, tenant };
}

/** What is stored of an author, in order: `epoch/sequence` and kind. */
export async function storedEvents(database: Database, tenant: string, author: Uint8Array): Promise<string[]> {
  return database.inTenant(tenant, async ({ query }) => {
    const rows = await query
      .selectFrom('events')
      .select(['epoch', 'sequence', 'kind'])
      .where('author', '=', Buffer.from(author))
      .orderBy('epoch')
      .orderBy('epoch_random')
      .orderBy('sequence')
      .execute();
    return rows.map(({ epoch, sequence, kind }) => `${epoch}/${sequence} ${kind}`);
  });
}
