import { loadGatewayConfig } from '../config/index.js';
import { configOption, examples, jsonOption, type Cli } from './cli.js';
import { CommissionClient } from './commission-client.js';

export function addClockCommands(cli: Cli): void {
  const clock = cli.program.command('clock').description('what the time of a gateway that runs is worth');
  clock
    .command('show')
    .description('show the quality of its clock, and the age of its policy')
    .addOption(configOption())
    .addOption(jsonOption())
    .action(({ config }: { config: string }) => show(cli, config));
  clock
    .command('accept')
    .description('say that the clock of the machine is right, although it contradicts what was known of the time')
    .requiredOption('--by <name>', 'who looked at a watch; it is recorded with the name')
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nWhat expired by a time that was wrong is in force again after it.')
    .addHelpText('after', examples('date', 'sparc clock accept --by "Ada Lovelace"'))
    .action((flags: { config: string; by: string }) => accept(cli, flags));
}

async function show({ output }: Cli, config: string): Promise<void> {
  const { clock, policy } = await CommissionClient.of(loadGatewayConfig(config).dataDir).site();
  const bound = clock.errorMs === undefined ? '' : `, within ${(clock.errorMs / 1_000).toFixed(1)} s`;
  const age =
    policy === undefined
      ? 'No policy is in force.'
      : `The policy was confirmed ${(policy.ageMs / 3_600_000).toFixed(1)} hours ago.`;
  output.result({ clock, policy }, `The clock is ${clock.quality}${bound}: ${MEANINGS[clock.quality]}.\n${age}`);
}

const MEANINGS = {
  synced: 'a time source confirms it',
  holdover: 'no time source confirms it at the moment, and it is still believed',
  unsynced: 'nobody has confirmed it, or not for 72 hours',
  stepped: 'it contradicts what was known of the time, and is not believed',
} as const;

async function accept({ output }: Cli, { config, by }: { config: string; by: string }): Promise<void> {
  const order = { kind: 'acceptClock' } as const;
  await CommissionClient.of(loadGatewayConfig(config).dataDir).order(order, by);
  output.result({ order, by }, 'The clock of the machine is taken as right from now on.');
}
