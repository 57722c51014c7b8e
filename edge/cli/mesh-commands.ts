import type { MeshView } from '../api/index.js';
import { loadGatewayConfig } from '../config/index.js';
import { createNodeClock } from '../platform/index.js';
import { configOption, examples, jsonOption, type Cli } from './cli.js';
import { CommissionClient } from './commission-client.js';
import { meshText, peersText } from './mesh-text.js';

interface Flags {
  readonly config: string;
}

export function addMeshCommands(cli: Cli): void {
  const mesh = cli.program
    .command('mesh')
    .description('the other gateways of the site, as a gateway that runs hears them');
  mesh
    .command('status')
    .description('say who is connected, how far their ledgers are here, and what nobody else has yet')
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText('after', examples('sparc mesh status', 'sparc mesh status --json'))
    .action(({ config }: Flags) => status(cli, config));
  mesh
    .command('peers')
    .description('say whom each gateway hears, and what it has of the own ledger')
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nWhoever is not heard here is asked for by nobody: what others hear of it is in their lines. The command' +
        '\nof another gateway shows the site as that one hears it.',
    )
    .addHelpText('after', examples('sparc mesh peers', 'sparc mesh peers --json'))
    .action(({ config }: Flags) => peers(cli, config));
  mesh
    .command('heads')
    .description('print the signed heads of all ledgers that are on disk here')
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nEach line is a witness for `sparc ledger verify --expect-head` at the gateway that signed it.',
    )
    .addHelpText('after', examples('sparc mesh heads', 'sparc mesh heads > heads-of-monday.txt'))
    .action(({ config }: Flags) => heads(cli, config));
}

const meshOf = (config: string): Promise<MeshView> => CommissionClient.of(loadGatewayConfig(config).dataDir).mesh();

async function status({ output }: Cli, config: string): Promise<void> {
  const view = await meshOf(config);
  output.result(view, meshText(view, createNodeClock().wall().unixMs));
}

async function peers({ output }: Cli, config: string): Promise<void> {
  const view = await meshOf(config);
  output.result(view.members, peersText(view, createNodeClock().wall().unixMs));
}

async function heads({ output }: Cli, config: string): Promise<void> {
  const all = (await meshOf(config)).logs.flatMap((log) => log.heads);
  output.result(all, all.length === 0 ? 'No ledger is here.' : all.map((head) => JSON.stringify(head)).join('\n'));
}
