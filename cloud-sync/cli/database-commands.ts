import { isSparcError } from '@sparc/protocol/errors';
import {
  closing,
  createTenant,
  expireEvents,
  listTenants,
  makeMonthsAhead,
  migrate,
  openConnections,
  type Database,
} from '../db/index.js';
import { nodeRandom } from '../platform/index.js';
import { createUser, listUsers, madePassword } from '../users/index.js';
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
    const tenant = await tenantToSeed(database, tenantName);
    if (tenant === undefined) return undefined;
    await cli.sites(database).create(tenant, { id: site, name: siteName }).catch(unlessPresent);
    const user = { name: FIRST_USER, role: 'administrator', password } as const;
    await createUser(database, nodeRandom, { tenant, name: cli.actor }, user);
    return { tenant, site, name: FIRST_USER, ...(given === undefined && { password }) };
  });
  cli.result(made ?? {}, made === undefined ? 'There are tenants already.' : seededText(made));
}

/** A new one, or that of a seed which was refused half-way: nobody can log in there yet. Undefined where there is another. */
async function tenantToSeed(database: Database, name: string): Promise<string | undefined> {
  const [first, second] = await listTenants(database);
  if (first === undefined) return createTenant(database, { name, region: 'local', retentionDays: 365 });
  if (second !== undefined || first.name !== name) return undefined;
  return (await database.inTenant(first.id, listUsers)).length > 0 ? undefined : first.id;
}

function unlessPresent(error: unknown): void {
  if (!isSparcError(error, 'ERR_AUTHORITY_SITE_PRESENT')) throw error;
}

const seededText = ({
  tenant,
  site,
  name,
  password,
}: Record<'tenant' | 'site' | 'name', string> & { password?: string }) =>
  [
    `Tenant ${tenant}, site ${site}`,
    password === undefined
      ? `Log in as ${name}.`
      : `Log in as ${name} with the password ${password}, which is shown this once.`,
  ].join('\n');
