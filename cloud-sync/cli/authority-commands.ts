import { takeCourier } from '../authority/index.js';
import { assertSite } from '../db/index.js';
import { siteSecret, siteSeed } from '../identity/index.js';
import { fromHex, nodeCrypto, nodeRandom, seedSigner, toHex } from '../platform/index.js';
import { audit } from '../users/index.js';
import type { Cli } from './program.js';
import { publicKey } from './public-key.js';
import { filePieces } from './read-file.js';

interface OfTenant {
  readonly tenant: string;
}
interface AdoptFlags extends OfTenant {
  readonly name: string;
  readonly key: string;
}

export function addAuthorityCommands(cli: Cli): void {
  const authority = cli.program.command('authority').description('who says what counts at a site');
  authority
    .command('adopt <site>')
    .description('make a site whose owner keeps its authority offline: the cloud signs nothing for it')
    .requiredOption('--tenant <id>', 'whose site it is')
    .requiredOption('--name <name>', 'for people')
    .requiredOption('--key <hex>', 'public key of the authority, as `sparc authority` shows it', publicKey)
    .action((id: string, flags: AdoptFlags) => adopt(cli, id, flags));
  authority
    .command('show <site>')
    .description('show the key by which the owner of an authority, and the gateways, know this cloud')
    .requiredOption('--tenant <id>', 'whose site it is')
    .action(async (id: string, { tenant }: OfTenant) => {
      await cli.withDatabase((database) => database.inTenant(tenant, (transaction) => assertSite(transaction, id)));
      const cloudKey = cloudKeyOf(cli, tenant, id);
      cli.result({ id, cloudKey }, cloudKey);
    });
  authority
    .command('import')
    .argument('<site>')
    .argument('<file>', 'that `sparc authority publish --cloud` wrote')
    .description('take what the owner of an authority says: gateways, policy, whom it expelled')
    .requiredOption('--tenant <id>', 'whose site it is')
    .action((id: string, file: string, flags: OfTenant) => take(cli, id, file, flags));
  authority
    .command('resume <site>')
    .description('after a restore, where no gateway is left that knows what the authority has said since the backup')
    .requiredOption('--tenant <id>', 'whose site it is')
    .action(async (id: string, { tenant }: OfTenant) => {
      const isResumed = await cli.withDatabase((database) =>
        cli
          .sites(database)
          .resume(tenant, id, (transaction) => audit(transaction, { tenant, name: cli.actor }, 'authority.resume', id)),
      );
      const now = isResumed ? 'signs again, behind what the backup has' : 'signs already: nothing was to be done';
      cli.result({ id, isResumed }, `The authority of ${id} ${now}.`);
    });
}

async function adopt(cli: Cli, id: string, { tenant, name, key }: AdoptFlags): Promise<void> {
  await cli.withDatabase((database) =>
    cli
      .sites(database)
      .adopt(tenant, { id, name }, fromHex(key), (transaction) =>
        audit(transaction, { tenant, name: cli.actor }, 'authority.adopt', id),
      ),
  );
  const cloudKey = cloudKeyOf(cli, tenant, id);
  const lines = [
    `Site ${id} is made. Its authority is ${key}.`,
    `Its owner brings what that says: sparc authority publish FILE --cloud ${cloudKey}`,
  ];
  cli.result({ id, cloudKey }, lines.join('\n'));
}

async function take(cli: Cli, id: string, file: string, { tenant }: OfTenant): Promise<void> {
  const of = { tenant, site: id };
  const seed = siteSeed(siteSecret(cli.config(), nodeRandom), tenant, id);
  const taken = await cli.withDatabase(async (database) => {
    const done = await takeCourier({ database, crypto: nodeCrypto }, of, seed, filePieces(file));
    await database.inTenant(tenant, (transaction) =>
      audit(transaction, { tenant, name: cli.actor }, 'authority.import', id, { ...done }),
    );
    return done;
  });
  const { entriesCount, partsCount, leftCount } = taken;
  const left =
    leftCount === 0 ? '' : ` ${leftCount} batches contradict what is here, or follow on what is not: left out.`;
  cli.result({ id, ...taken }, `${entriesCount} entries and ${partsCount} policy parts of ${id} are new.${left}`);
}

const cloudKeyOf = (cli: Cli, tenant: string, site: string): string =>
  toHex(seedSigner(siteSeed(siteSecret(cli.config(), nodeRandom), tenant, site)).publicKey);
