import type { Command } from 'commander';
import { Entitlements } from '@sparc/protocol/directive';
import { SparcError } from '@sparc/protocol/errors';
import { headToText, type SignedHead } from '@sparc/protocol/ledger';
import { Delegation, DELEGATION_KIND, furthestHeads, withExpulsions } from '@sparc/protocol/roster';
import { loadGatewayConfig } from '../config/index.js';
import { withLogsOf } from '../courier/index.js';
import { readMembership } from '../membership/index.js';
import { createNodeClock, loadIdentity, toHex, verifySignature } from '../platform/index.js';
import { AuthorityReader, handlerOf } from '../replica/index.js';
import { configOption, examples, jsonOption, type Cli } from './cli.js';
import { readHeads } from './courier-file.js';
import { direct, keyOption, keyUnless, SiteOperator, type DirectiveFlags } from './directing.js';
import { operatorLines, operatorsValue, rosterLines, rosterValue } from './roster-text.js';
import { withAuthority } from './with-authority.js';

interface ExpelFlags {
  readonly dir?: string;
  readonly config: string;
  readonly heads?: string;
}

export function addRosterCommands(cli: Cli): void {
  const roster = cli.program.command('roster').description('who belongs to the site');
  addShow(cli, roster);
  roster
    .command('expel')
    .argument('<gateway>', 'its public key')
    .description('take a gateway off the roster for good, as one that was stolen')
    .option('--dir <folder>', 'of the authority')
    .addOption(keyOption())
    .option('--heads <file>', 'what `sparc mesh heads` printed at a gateway that is trusted')
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nIts ledger counts up to the heads; with --key those of the gateway of --config, where none are given.',
    )
    .addHelpText(
      'after',
      '\nWith --dir the site secret is changed as well, because it knows the present one: the others hear of it from',
    )
    .addHelpText(
      'after',
      'a file that `sparc authority publish` makes. What an operator expelled is to be expelled so too.',
    )
    .addHelpText(
      'after',
      examples(
        'sparc roster expel 91c0…4e --key ada.key',
        'sparc roster expel 91c0…4e --heads heads.txt --dir /media/usb/harbour',
      ),
    )
    .action((gateway: string, flags: ExpelFlags, command: Command) =>
      expel(cli, gateway, flags, keyUnless('dir', command)),
    );
}

function addShow(cli: Cli, roster: Command): void {
  roster
    .command('show')
    .description('show the newest roster and the operators that this gateway knows, whether it runs or not')
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText('after', examples('sparc roster show', 'sparc roster show --config gateway.yaml --json'))
    .action(({ config }: { config: string }) => show(cli, config));
}

function show({ output }: Cli, config: string): void {
  const { dataDir } = loadGatewayConfig(config);
  const membership = readMembership(dataDir, verifySignature);
  if (membership === undefined) {
    throw new SparcError('ERR_MESH_NOT_A_MEMBER', `${dataDir} holds no membership`, { dataDir });
  }
  const authority = toHex(membership.authority);
  const roster = withExpulsions(membership.roster, membership.expulsions);
  const operators = operatorsIn(dataDir, authority);
  const nowUnixMs = createNodeClock().wall().unixMs;
  const isExpired = nowUnixMs > roster.notAfterUnixMs;
  const warning = isExpired ? ['It has EXPIRED. It goes on counting; enrol any gateway again to sign it anew.'] : [];
  output.result(
    { ...rosterValue(authority, roster), expired: isExpired, operators: operatorsValue(operators) },
    [...rosterLines(authority, roster), ...operatorLines(operators, nowUnixMs), ...warning].join('\n'),
  );
}

/** By the log of the authority, as far as it is here. */
function operatorsIn(dataDir: string, authority: string): readonly Delegation[] {
  const entitlements = new Entitlements(authority);
  withLogsOf(dataDir, loadIdentity(dataDir).publicKey, (logs) => {
    const handler = handlerOf(DELEGATION_KIND, Delegation, (delegation) => void entitlements.take(delegation));
    new AuthorityReader(logs, authority, [handler], () => undefined).read();
  });
  return entitlements.operators;
}

async function expel(
  cli: Cli,
  gateway: string,
  { dir, config, heads: headsFile }: ExpelFlags,
  key: string | undefined,
): Promise<void> {
  const heads = headsFile === undefined ? undefined : headsIn(headsFile, gateway);
  if (key !== undefined) return directExpulsion(cli, gateway, heads, { config, key });
  if (dir === undefined) throw new SparcError('ERR_CLI_USAGE', 'who expels it? --key FILE, or --dir FOLDER');
  expelFrom(cli, gateway, heads ?? [], dir);
}

/** Throws ERR_MESH_HEAD_INVALID where the file has none of the gateway. */
function headsIn(file: string, key: string): readonly SignedHead[] {
  const own = readHeads(file).filter(({ author }) => toHex(author) === key);
  if (own.length > 0) return own;
  throw new SparcError('ERR_MESH_HEAD_INVALID', `${file} has no head of ${key}`, { file });
}

/** The gateways alone: the site secret stays, and they refuse whoever was expelled by its key. */
async function directExpulsion(
  cli: Cli,
  gateway: string,
  given: readonly SignedHead[] | undefined,
  flags: DirectiveFlags,
): Promise<void> {
  const operator = new SiteOperator(flags);
  const { members, logs } = await operator.client.mesh();
  const member = members.find(({ key }) => key === gateway);
  if (member === undefined) {
    throw new SparcError('ERR_MESH_MEMBER_UNKNOWN', `${gateway} is not on the roster`, { key: gateway });
  }
  const known = logs
    .filter(({ author }) => author === gateway)
    .flatMap((log) => log.heads.map((head) => JSON.stringify(head)));
  const heads = given === undefined ? known : furthestHeads(given).map(headToText);
  await direct(cli, operator, [{ kind: 'expel', gateway, heads }], `${member.name} is to be expelled.`);
}

function expelFrom({ output }: Cli, key: string, own: readonly SignedHead[], dir: string): void {
  withAuthority(dir, (folder) => {
    folder.expel(key, own);
    const authority = toHex(folder.publicKey);
    output.result(
      rosterValue(authority, folder.roster),
      [
        ...rosterLines(authority, folder.roster),
        '',
        own.length === 0
          ? 'NOTHING of its ledger counts: no gateway takes it from another any more. What each has, it keeps.'
          : 'What is behind that in its ledger counts for nothing; whoever has it keeps it as evidence.',
        '`sparc authority publish` makes a file that tells the gateways: the sooner one has it, the better.',
      ].join('\n'),
    );
  });
}
