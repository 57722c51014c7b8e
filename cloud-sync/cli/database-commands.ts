import {
  closing,
  createTenant,
  expireEvents,
  listTenants,
  makeMonthsAhead,
  migrate,
  openConnections,
} from '../db/index.js';
import { nodeRandom } from '../platform/index.js';
import { createUser, madePassword } from '../users/index.js';
import { readPassword } from './password-file.js';
import type { Cli } from './program.js';

export function addDatabaseCommands(cli: Cli): void {
  cli.program
    .command('migrate')
    .description('bring the schema of the database to this version, while older ones go on working')
    .action(() => runMigrations(cli));
  cli.program
    .command('seed')
    .description('make a first tenant with a site and an administrator, where there is no tenant yet')
    .option('--tenant-name <name>', 'of the customer', 'First tenant')
    .option('--site <id>', 'of the site', 'site-1')
    .option('--site-name <name>', 'for people', 'First site')
    .option('--password-file <file>', 'file with the password of the administrator; else one is made and printed')
    .action((flags: SeedFlags) => seed(cli, flags));
  cli.program
    .command('maintain')
    .description(
      'make room for the entries of the next month, and take away those that no tenant has to keep, as the scheduler does once a day',
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

const FIRST_USER = 'admin';

interface SeedFlags {
  readonly tenantName: string;
  readonly site: string;
  readonly siteName: string;
  readonly passwordFile?: string;
}

async function seed(cli: Cli, { tenantName, site, siteName, passwordFile }: SeedFlags): Promise<void> {
  const given = passwordFile === undefined ? undefined : readPassword(passwordFile);
  const password = given ?? madePassword(nodeRandom);
  const made = await cli.withDatabase(async (database) => {
    if ((await listTenants(database)).length > 0) return undefined;
    const tenant = await createTenant(database, { name: tenantName, region: 'local', retentionDays: 365 });
    await cli.sites(database).create(tenant, { id: site, name: siteName });
    const user = { name: FIRST_USER, role: 'administrator', password } as const;
    await createUser(database, nodeRandom, { tenant, name: cli.actor }, user);
    return { tenant, site, user: FIRST_USER, ...(given === undefined && { password }) };
  });
  cli.result(made ?? {}, made === undefined ? 'There are tenants already.' : seededText(made));
}

const seededText = ({
  tenant,
  site,
  user,
  password,
}: Record<'tenant' | 'site' | 'user', string> & { password?: string }) =>
  [
    `Tenant ${tenant}, site ${site}`,
    password === undefined
      ? `Log in as ${user}.`
      : `Log in as ${user} with the password ${password}, which is shown this once.`,
  ].join('\n');
