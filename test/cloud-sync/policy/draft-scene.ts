import { createDatabase, createTenant, type Database } from '@sparc/cloud-sync/db';
import { DraftSecrets, PolicyDraft } from '@sparc/cloud-sync/policy';
import { migrated, openPglite, type Test } from '../../support/databases.js';

export const SECRETS = new DraftSecrets(new Uint8Array(32).fill(7));

/** A tenant in a database in this process, with sites that have no draft yet. */
export async function draftScene(t: Test) {
  const database = createDatabase(await migrated(await openPglite(t)));
  const tenant = await createTenant(database, { name: 'harbour', region: 'eu', retentionDays: 90 });
  const draftOf = (site: string) => new PolicyDraft({ database, secrets: SECRETS, tenant, site });
  return {
    database,
    tenant,
    draftOf,
    newDraft: async (site: string) => {
      await addSite(database, tenant, site);
      return draftOf(site);
    },
  };
}

export const addSite = (database: Database, tenant_id: string, id: string) =>
  database.inTenant(tenant_id, ({ query }) => query.insertInto('sites').values({ tenant_id, id, name: id }).execute());
