import { basename, dirname, extname, join } from 'node:path';
import { Value } from '@sinclair/typebox/value';
import { SparcError } from '@sparc/protocol/errors';
import { SiteFile } from '@sparc/protocol/policy';
import { openRequest, type Roster } from '@sparc/protocol/roster';
import { AuthorityFolder } from '../authority/index.js';
import { toHex, verifySignature } from '../platform/index.js';
import { addAuthorityPolicyCommands } from './authority-policy-commands.js';
import { readBinaryFile, writeBinaryFile } from './binary-file.js';
import { examples, jsonOption, type Cli } from './cli.js';
import { addDelegationCommands } from './delegation-commands.js';
import { rosterLines, rosterValue } from './roster-text.js';
import { authorityDeps, withAuthority } from './with-authority.js';

/** With what a cloud grants in it. */
const REQUEST_BYTES_MAX = 65_536;
const SiteId = SiteFile.properties.site.properties.id;

export function addAuthorityCommands(cli: Cli): void {
  const authority = cli.program
    .command('authority')
    .description('the authority of a site, offline: who belongs to it')
    .addHelpText('after', '\nIts folder belongs on no gateway: whoever has it says who belongs to the site.');
  authority
    .command('init <folder>')
    .description('make the authority of a new site')
    .requiredOption('--site <id>', 'id of the site, as in its site file')
    .addOption(jsonOption())
    .addHelpText('after', examples('sparc authority init /media/usb/harbour --site harbour'))
    .action((folder: string, { site }: { site: string }) => init(cli, folder, site));
  authority
    .command('enrol <requests...>')
    .description('put gateways onto the roster, and write what each takes home')
    .requiredOption('--dir <folder>', 'of the authority')
    .addOption(jsonOption())
    .addHelpText('after', '\nBeside hallway.request, hallway.admission is written. One that is on the roster already')
    .addHelpText(
      'after',
      'gets what its request says now. The others learn of it when they meet the first that joined.',
    )
    .addHelpText('after', examples('sparc authority enrol hallway.request gate.request --dir /media/usb/harbour'))
    .action((requests: readonly string[], { dir }: { dir: string }) => enrol(cli, requests, dir));
  authority
    .command('rotate')
    .description('change the site secret, which keeps strangers from the mesh')
    .requiredOption('--dir <folder>', 'of the authority')
    .addOption(jsonOption())
    .addHelpText('after', '\nA gateway that hears of it later than a week after the others joins again.')
    .addHelpText('after', examples('sparc authority rotate --dir /media/usb/harbour'))
    .action(({ dir }: { dir: string }) => rotate(cli, dir));
  addDelegationCommands(cli, authority);
  addAuthorityPolicyCommands(cli, authority);
}

function init({ output }: Cli, path: string, site: string): void {
  if (!Value.Check(SiteId, site)) throw new SparcError('ERR_CLI_USAGE', `--site is ${SiteId.description}`);
  const folder = create(path, site);
  folder.close();
  const authority = toHex(folder.publicKey);
  output.result(
    { folder: path, ...rosterValue(authority, folder.roster) },
    [
      authority,
      '',
      `${path} holds the key of the authority of ${site}: keep it in a safe and a copy in another, on no gateway.`,
      'Who joins a gateway compares the number above with what `sparc gateway join` prints.',
    ].join('\n'),
  );
}

function create(path: string, site: string): AuthorityFolder {
  try {
    return AuthorityFolder.create(path, site, authorityDeps());
  } catch (cause) {
    if (cause instanceof SparcError) throw cause;
    throw new SparcError('ERR_CLI_WRITE_FAILED', `${path}: ${(cause as Error).message}`, { path }, { cause });
  }
}

function enrol({ output }: Cli, files: readonly string[], dir: string): void {
  const requests = files.map((file) => ({
    ...openRequest(verifySignature, readBinaryFile(file, REQUEST_BYTES_MAX)),
    admissionFile: join(dirname(file), `${basename(file, extname(file))}.admission`),
  }));
  const links = requests.flatMap(({ member, link }) => (link === undefined ? [] : [[member.key, link] as const]));
  withAuthority(dir, (folder) => {
    const members = requests.map(({ member }) => member);
    const admissions = folder.enrol(members, new Map(links));
    for (const [index, admission] of admissions.entries()) {
      writeBinaryFile(requests[index]?.admissionFile ?? '', admission);
    }
    const written = requests.map(({ member: { key, name }, link, admissionFile }) => ({
      ...{ key, name, admissionFile },
      ...(link && { cloud: { key: toHex(link.cloudKey), url: link.brokerUrl } }),
    }));
    const authority = toHex(folder.publicKey);
    output.result({ ...rosterValue(authority, folder.roster), written }, enrolled(authority, folder.roster, written));
  });
}

function rotate({ output }: Cli, dir: string): void {
  withAuthority(dir, (folder) => {
    folder.rotate();
    const { number } = folder.siteSecret;
    output.result(
      { number },
      `Site secret ${number} takes the place of the one before. \`sparc authority publish\` makes a file that brings it.`,
    );
  });
}

interface Written {
  readonly name: string;
  readonly admissionFile: string;
  readonly cloud?: { readonly key: string; readonly url: string };
}

const enrolled = (authority: string, roster: Roster, written: readonly Written[]): string =>
  [
    ...rosterLines(authority, roster),
    '',
    ...written.flatMap(({ name, admissionFile, cloud }) => [
      `${admissionFile} is for ${name}: \`sparc gateway join\` there.`,
      ...(cloud === undefined ? [] : [`It links ${name} to ${cloud.url} of the cloud ${cloud.key}: compare the key.`]),
    ]),
  ].join('\n');
