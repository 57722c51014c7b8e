import { InvalidArgumentError } from 'commander';
import { createTenant, listTenants, RETENTION_MIN_DAYS, setLegalHold, type Tenant } from '../db/index.js';
import type { Cli } from './program.js';

const RETENTION_DAYS = 365;
const RETENTION_MAX_DAYS = 36_500;

interface CreateFlags {
  readonly region: string;
  readonly retentionDays: number;
}

export function addTenantCommands(cli: Cli): void {
  const tenant = cli.program.command('tenant').description('customers, whose data is kept apart');
  tenant
    .command('create')
    .description('make a tenant, and print its id')
    .argument('<name>', 'of the customer', text(200))
    .requiredOption('--region <name>', 'where its data is to lie', text(64))
    .option('--retention-days <days>', `how long entries are kept, ${RETENTION_MIN_DAYS} or more`, days, RETENTION_DAYS)
    .action(async (name: string, flags: CreateFlags) => {
      const id = await cli.withDatabase((database) => createTenant(database, { name, ...flags }));
      cli.result({ id }, id);
    });
  tenant
    .command('list')
    .description('show the tenants')
    .action(async () => {
      const tenants = await cli.withDatabase(listTenants);
      cli.result(tenants, tenants.length === 0 ? 'No tenants.' : tenants.map(tenantText).join('\n'));
    });
  addHold('hold', 'delete nothing of a tenant, however old, until `release`', true);
  addHold('release', 'end what `hold` began', false);

  function addHold(name: string, description: string, isHeld: boolean): void {
    tenant
      .command(`${name} <id>`)
      .description(description)
      .action(async (id: string) => {
        await cli.withDatabase((database) => setLegalHold(database, id, isHeld, cli.actor));
        cli.result({ id, isHeld }, `${id}: ${isHeld ? 'held' : 'released'}`);
      });
  }
}

const tenantText = ({ id, name, region, retentionDays, isHeld }: Tenant) =>
  `${id}  ${name}  ${region}  ${retentionDays} days${isHeld ? '  HELD' : ''}`;

/** As long as the database takes it. */
function text(charactersMax: number): (text: string) => string {
  return (text) => {
    if (text.length >= 1 && text.length <= charactersMax) return text;
    throw new InvalidArgumentError(`It does not have 1 to ${charactersMax} characters.`);
  };
}

function days(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= RETENTION_MIN_DAYS && value <= RETENTION_MAX_DAYS) return value;
  throw new InvalidArgumentError(`It is not a number of days from ${RETENTION_MIN_DAYS} to ${RETENTION_MAX_DAYS}.`);
}
