import t from 'tap';
import { createDatabase, createTenant, type Database } from '@sparc/cloud-sync/db';
import { DraftSecrets, PolicyDraft, type DraftDeps } from '@sparc/cloud-sync/policy';
import { migrated, openPglite } from '../../support/databases.js';
import { SEALING_SECRET } from '../../support/sealing.js';

export const SECRET = new Uint8Array(32).fill(7);

const scene = makeScene();

/** A tenant in a database in this process, one for all tests, with sites that have no draft yet. */
export const draftScene = () => scene;

async function makeScene() {
  const database = createDatabase(await migrated(await openPglite(t)), SEALING_SECRET);
  const tenant = await createTenant(database, { name: 'harbour', region: 'eu', retentionDays: 90 });
  const depsOf = (site: string): DraftDeps => ({
    database,
    secrets: new DraftSecrets(SECRET, { tenant, site }),
    tenant,
    site,
  });
  const draftOf = (site: string) => new PolicyDraft(depsOf(site));
  return {
    database,
    tenant,
    depsOf,
    draftOf,
    newDraft: async (site: string) => {
      await addSite(database, tenant, site);
      return draftOf(site);
    },
  };
}

const addSite = (database: Database, tenant_id: string, id: string) =>
  database.inTenant(tenant_id, ({ query }) => query.insertInto('sites').values({ tenant_id, id, name: id }).execute());
