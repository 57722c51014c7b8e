import { loadGatewayConfig } from '../config/index.js';
import { RevocationFile } from '../revocation/index.js';
import { configOption, examples, jsonOption, type Cli } from './cli.js';
import { CommissionClient } from './commission-client.js';
import { table } from './text-table.js';

interface Flags {
  readonly config: string;
  readonly by: string;
  readonly holder?: true;
  readonly unlisted?: true;
}

export function addRevocationCommands(cli: Cli): void {
  cli.program
    .command('revoke <id>')
    .description('end a credential at once and for good, whatever any policy says')
    .requiredOption('--by <name>', 'who revokes it; it is recorded with the name')
    .option('--holder', 'the id is that of a holder, of whom every credential ends')
    .option('--unlisted', 'also an id that the policy in force does not have: an older or a later one may')
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nNo older policy undoes it. Who is to enter again gets a credential with a new id.')
    .addHelpText(
      'after',
      examples('sparc revoke card-ada --by "Grace Hopper"', 'sparc revoke ada --holder --by "Grace Hopper"'),
    )
    .action((id: string, flags: Flags) => revoke(cli, id, flags));
  cli.program
    .command('revocations')
    .description('list what was revoked at this gateway, whether it runs or not')
    .addOption(configOption())
    .addOption(jsonOption())
    .action(({ config }: { config: string }) => list(cli, config));
}

async function revoke({ output }: Cli, id: string, { config, by, holder, unlisted }: Flags): Promise<void> {
  const subject = holder ? 'holder' : 'credential';
  await CommissionClient.of(loadGatewayConfig(config).dataDir).order(
    { kind: 'revoke', subject, id, ...(unlisted && { unlisted }) },
    by,
  );
  const done = holder ? `Every credential of ${id} is revoked.` : `Credential ${id} is revoked.`;
  output.result({ subject, id, by }, done);
}

/** Throws ERR_GATEWAY_REVOCATIONS_DAMAGED after what could be read was shown. */
function list({ output }: Cli, config: string): void {
  const { revocations, error } = new RevocationFile(loadGatewayConfig(config).dataDir).load();
  const rows = revocations.map(({ number, subject, id, by, atUnixMs }) => [
    String(number),
    new Date(atUnixMs).toISOString(),
    subject,
    id,
    by,
  ]);
  const text = rows.length === 0 ? 'Nothing is revoked.' : table(['number', 'at', 'what', 'id', 'by'], rows).join('\n');
  output.result({ revocations }, text);
  if (error !== undefined) throw error;
}
