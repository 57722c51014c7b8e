import { InvalidArgumentError } from 'commander';
import { fromHex } from '../platform/index.js';
import { audit } from '../users/index.js';
import type { Cli } from './program.js';

interface OfTenant {
  readonly tenant: string;
}

export function addAuthorityCommands(cli: Cli): void {
  const authority = cli.program.command('authority').description('who says what counts at a site');
  authority
    .command('adopt <site>')
    .description('make a site whose owner keeps its authority offline: the cloud signs nothing for it')
    .requiredOption('--tenant <id>', 'whose site it is')
    .requiredOption('--name <name>', 'for people')
    .requiredOption('--key <hex>', 'public key of the authority, as `sparc authority` shows it', publicKey)
    .action(async (id: string, { tenant, name, key }: OfTenant & { readonly name: string; readonly key: string }) => {
      await cli.withDatabase((database) =>
        cli
          .sites(database)
          .adopt(tenant, { id, name }, fromHex(key), (transaction) =>
            audit(transaction, { tenant, name: cli.actor }, 'authority.adopt', id),
          ),
      );
      cli.result({ id }, `Site ${id} is made. Its authority is ${key}.`);
    });
  authority
    .command('resume <site>')
    .description('after a restore, where no gateway is left that knows what the authority has said since the backup')
    .requiredOption('--tenant <id>', 'whose site it is')
    .action(async (id: string, { tenant }: OfTenant) => {
      await cli.withDatabase((database) =>
        cli
          .sites(database)
          .resume(tenant, id, (transaction) => audit(transaction, { tenant, name: cli.actor }, 'authority.resume', id)),
      );
      cli.result({ id }, `The authority of ${id} signs again, behind what the backup has.`);
    });
}

function publicKey(text: string): string {
  if (/^[0-9a-f]{64}$/.test(text)) return text;
  throw new InvalidArgumentError('a key has 64 hexadecimal digits.');
}
