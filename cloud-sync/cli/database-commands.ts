import {
  checkSchema,
  closing,
  createDatabase,
  createTenant,
  embeddedFolder,
  expireEvents,
  listTenants,
  makeMonthsAhead,
  migrate,
  openConnections,
  type Database,
} from '../db/index.js';
import { nodeRandom } from '../platform/index.js';
import { createUser, madePassword } from '../users/index.js';
import type { Cli } from './program.js';

export function addDatabaseCommands(cli: Cli): void {
  cli.program
    .command('migrate')
    .description('bring the schema of the database to this version, while older ones go on working')
    .action(() => runMigrations(cli));
  cli.program
    .command('seed')
    .description('make a first tenant with a site and an administrator, where there is no tenant yet')
    .option('--site <id>', 'of the site', 'site-1')
    .option('--site-name <name>', 'for people', 'First site')
    .action((flags: SeedFlags) => seed(cli, flags));
  cli.program
    .command('maintain')
    .description(
      'make room for the entries of the next month, and take away those that no tenant has to keep: once a day',
    )
    .action(() =>
      cli.withDatabase(async (database) => {
        await makeMonthsAhead(database);
        await expireEvents(database);
      }),
    );
}

async function runMigrations(cli: Cli): Promise<void> {
  const ran = await closing(await openConnections(cli.location()), migrate);
  cli.result({ migrations: ran }, ran.length === 0 ? 'Nothing to do.' : `Ran ${ran.length} migrations.`);
}

const FIRST = { name: 'First tenant', region: 'local', retentionDays: 365 } as const;
const FIRST_USER = 'admin';

interface SeedFlags {
  readonly site: string;
  readonly siteName: string;
}

async function seed(cli: Cli, flags: SeedFlags): Promise<void> {
  const location = cli.location();
  const made = await closing(await openConnections(location), async (connections) => {
    // One inside the program is open once at a time, so nobody else could bring it to this version.
    await (embeddedFolder(location) === undefined ? checkSchema(connections) : migrate(connections));
    return makeFirst(createDatabase(connections), cli.actor, flags);
  });
  cli.result(
    made ?? {},
    made === undefined
      ? 'There are tenants already.'
      : `Tenant ${made.tenant}, site ${made.site}\nLog in as ${made.user} with the password ${made.password}, which is shown this once.`,
  );
}

async function makeFirst(database: Database, actor: string, { site, siteName }: SeedFlags) {
  if ((await listTenants(database)).length > 0) return undefined;
  const tenant = await createTenant(database, FIRST);
  await database.inTenant(tenant, ({ query }) =>
    query.insertInto('sites').values({ tenant_id: tenant, id: site, name: siteName }).execute(),
  );
  const user = { name: FIRST_USER, role: 'administrator', password: madePassword(nodeRandom) } as const;
  await createUser(database, nodeRandom, { tenant, name: actor }, user);
  return { tenant, site, user: user.name, password: user.password };
}
