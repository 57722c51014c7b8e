import type { Command } from 'commander';
import { SparcError } from '@sparc/protocol/errors';
import { Delegation, DELEGATION_KIND } from '@sparc/protocol/roster';
import { loadGatewayConfig } from '../config/index.js';
import { withLogsOf } from '../courier/index.js';
import { Operators, readMembership } from '../membership/index.js';
import { createNodeClock, loadIdentity, toHex, verifySignature } from '../platform/index.js';
import { AuthorityReader, handlerOf } from '../replica/index.js';
import { configOption, examples, jsonOption, type Cli } from './cli.js';
import { readHeads } from './courier-file.js';
import { operatorLines, operatorsValue, rosterLines, rosterValue } from './roster-text.js';
import { withAuthority } from './with-authority.js';

interface ExpelFlags {
  readonly dir: string;
  readonly heads?: string;
}

export function addRosterCommands(cli: Cli): void {
  const roster = cli.program.command('roster').description('who belongs to the site');
  addShow(cli, roster);
  roster
    .command('expel <key>')
    .description('take a gateway off the roster for good, as one that was stolen')
    .requiredOption('--dir <folder>', 'of the authority')
    .option('--heads <file>', 'what `sparc mesh heads` printed at a gateway that is trusted')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nIts ledger counts up to the heads. The site secret is changed with it, because it knows the',
    )
    .addHelpText('after', 'present one. The others hear of it from a file that `sparc authority publish` makes.')
    .addHelpText('after', examples('sparc roster expel 91c0…4e --heads heads.txt --dir /media/usb/harbour'))
    .action((key: string, flags: ExpelFlags) => expel(cli, key, flags));
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
  const { roster } = membership;
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
  const operators = new Operators();
  withLogsOf(dataDir, loadIdentity(dataDir).publicKey, (logs) => {
    const handler = handlerOf(DELEGATION_KIND, Delegation, (delegation) => operators.take(delegation));
    new AuthorityReader(logs, authority, [handler], () => undefined).read();
  });
  return operators.all();
}

function expel({ output }: Cli, key: string, { dir, heads: headsFile }: ExpelFlags): void {
  const heads = headsFile === undefined ? [] : readHeads(headsFile);
  const own = heads.filter(({ author }) => toHex(author) === key);
  if (headsFile !== undefined && own.length === 0) {
    throw new SparcError('ERR_MESH_HEAD_INVALID', `${headsFile} has no head of ${key}`, { file: headsFile });
  }
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
