import { loadGatewayConfig } from '../config/index.js';
import { configOption, examples, jsonOption, type Cli } from './cli.js';
import { CommissionClient } from './commission-client.js';

export function addClockCommands(cli: Cli): void {
  cli.program
    .command('clock')
    .description('the time of a gateway that runs')
    .command('accept')
    .description('say that the clock of the machine is right, although it contradicts what was known of the time')
    .requiredOption('--by <name>', 'who looked at a watch; it is recorded with the name')
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nWhat expired by a time that was wrong is in force again after it.')
    .addHelpText('after', examples('date', 'sparc clock accept --by "Ada Lovelace"'))
    .action((flags: { config: string; by: string }) => accept(cli, flags));
}

async function accept({ output }: Cli, { config, by }: { config: string; by: string }): Promise<void> {
  const order = { kind: 'acceptClock' } as const;
  await CommissionClient.of(loadGatewayConfig(config).dataDir).order(order, by);
  output.result({ order, by }, 'The clock of the machine is taken as right from now on.');
}
