import { SparcError } from '@sparc/protocol/errors';
import { loadGatewayConfig } from '../config/index.js';
import { readMembership } from '../membership/index.js';
import { createNodeClock, verifySignature } from '../platform/index.js';
import { configOption, examples, jsonOption, type Cli } from './cli.js';
import { rosterLines, rosterValue } from './roster-text.js';

export function addRosterCommands(cli: Cli): void {
  cli.program
    .command('roster')
    .description('who belongs to the site')
    .command('show')
    .description('show the newest roster that this gateway knows, whether it runs or not')
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
  const authority = Buffer.from(membership.authority).toString('hex');
  const { roster } = membership;
  const isExpired = createNodeClock().wall().unixMs > roster.notAfterUnixMs;
  const warning = isExpired ? ['It has EXPIRED. It goes on counting; enrol any gateway again to sign it anew.'] : [];
  output.result(
    { ...rosterValue(authority, roster), expired: isExpired },
    [...rosterLines(authority, roster), ...warning].join('\n'),
  );
}
