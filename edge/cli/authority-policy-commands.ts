import { join } from 'node:path';
import { Option, type Command } from 'commander';
import { SparcError } from '@sparc/protocol/errors';
import type { AuthorityFolder } from '../authority/index.js';
import { readTextFile } from '../config/index.js';
import { policyContentOf, SITE_FILE_LENGTH_MAX, validateSiteFile } from '../policy/index.js';
import { AuthorityPolicy, PARTS_FILE, SqlitePartStore, type SignedPolicy } from '../policy-parts/index.js';
import { examples, jsonOption, type Cli } from './cli.js';
import { writePieces } from './courier-file.js';
import { authorityDeps, withAuthority } from './with-authority.js';

interface Flags {
  readonly dir: string;
}
interface PublishFlags extends Flags {
  readonly cloud?: string;
}
interface SignFlags extends Flags {
  readonly despiteClock?: true;
}

const clockOption = () =>
  new Option('--despite-clock', 'the clock is right now, and was ahead when the authority signed last');

export function addAuthorityPolicyCommands(cli: Cli, authority: Command): void {
  authority
    .command('policy')
    .description('the policy of all gateways of the site')
    .command('sign <file>')
    .description('validate a site file (YAML or JSON) and sign it as the next revision')
    .requiredOption('--dir <folder>', 'of the authority')
    .addOption(clockOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nGateways take it from a courier (`sparc authority publish`), and from each other.')
    .addHelpText('after', examples('sparc authority policy sign site.yaml --dir /media/usb/harbour'))
    .action((file: string, flags: SignFlags) => sign(cli, file, flags));
  authority
    .command('beacon')
    .description('say that the newest policy still holds, so that no gateway takes it for stale')
    .requiredOption('--dir <folder>', 'of the authority')
    .addOption(clockOption())
    .addOption(jsonOption())
    .addHelpText('after', examples('sparc authority beacon --dir /media/usb/harbour'))
    .action((flags: SignFlags) => confirm(cli, flags));
  authority
    .command('publish <file>')
    .description('write all that the authority said, and the newest policy, as a courier for any gateway of the site')
    .requiredOption('--dir <folder>', 'of the authority')
    .option(
      '--cloud <key>',
      'it opens for this cloud, too: its key for the site, as `sparc-cloud authority show` prints it',
    )
    .addOption(jsonOption())
    .addHelpText('after', '\n`sparc ledger import` gives it to one gateway, from which the others have it.')
    .addHelpText('after', examples('sparc authority publish /media/usb/site.courier --dir /media/usb/harbour'))
    .action((file: string, flags: PublishFlags) => publish(cli, file, flags));
}

function sign({ output }: Cli, file: string, flags: SignFlags): void {
  const site = validateSiteFile(readTextFile(file, SITE_FILE_LENGTH_MAX), file);
  const signed = signing(flags, (policy, { roster, pinKey }) => {
    if (site.site.id === roster.site) return policy.sign(policyContentOf(site, pinKey));
    const message = `${file} is of site ${site.site.id}, and the authority of ${roster.site}`;
    throw new SparcError('ERR_MESH_OTHER_SITE', message, { file });
  });
  const { revision, ...made } = signed;
  const { number, counts, sizeBytes } = revision;
  output.result({ number, site: revision.site, counts, sizeBytes, ...made }, signedText(signed));
}

function signedText({ revision, isNew, newPartsCount, newBytes }: SignedPolicy): string {
  const { number, site, counts, sizeBytes } = revision;
  if (!isNew) return `Policy ${number} of site ${site} says the same already: nothing was signed.`;
  return [
    `Policy ${number} of site ${site} is signed: ${counts.credentials} credentials of ${counts.holders} holders.`,
    `It takes ${sizeBytes} bytes; ${newPartsCount} parts with ${newBytes} bytes are new.`,
    '`sparc authority publish` makes a file of it for the gateways.',
  ].join('\n');
}

function confirm({ output }: Cli, flags: SignFlags): void {
  const number = signing(flags, (policy) => policy.confirm());
  output.result({ number }, `Policy ${number} is confirmed. \`sparc authority publish\` makes a file that says so.`);
}

function publish({ output }: Cli, file: string, { dir, cloud }: PublishFlags): void {
  const number = withPolicy(dir, (policy, folder) => {
    writePieces(file, courierOf(folder, policy.contents(), cloud));
    return policy.newest?.number;
  });
  const what = number === undefined ? 'no policy yet' : `policy ${number}`;
  output.result(
    { file, ...(number !== undefined && { number }) },
    [
      `${file} carries the log of the authority, and ${what}. To a gateway: \`sparc ledger import ${file}\`.`,
      ...(cloud === undefined ? [] : [`To the cloud: \`sparc-cloud authority import\`.`]),
    ].join('\n'),
  );
}

function courierOf(folder: AuthorityFolder, parts: Iterable<Uint8Array>, cloud: string | undefined) {
  try {
    return folder.courier(parts, cloud === undefined ? undefined : Buffer.from(cloud, 'hex'));
  } catch (cause) {
    throw new SparcError('ERR_CLI_USAGE', `'${cloud}' is no key of a cloud`, {}, { cause });
  }
}

function signing<T>(
  { dir, despiteClock }: SignFlags,
  work: (policy: AuthorityPolicy, folder: AuthorityFolder) => T,
): T {
  return withPolicy(dir, (policy, folder) => {
    if (despiteClock === undefined) policy.assertClock(authorityDeps().clock);
    return work(policy, folder);
  });
}

function withPolicy<T>(dir: string, work: (policy: AuthorityPolicy, folder: AuthorityFolder) => T): T {
  return withAuthority(dir, (folder) => {
    const parts = SqlitePartStore.open(join(dir, PARTS_FILE));
    try {
      return work(new AuthorityPolicy(folder.log, parts), folder);
    } finally {
      parts.close();
    }
  });
}
