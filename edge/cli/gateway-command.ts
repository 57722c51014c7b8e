import { loadGatewayConfig } from '../config/index.js';
import { createNodeClock } from '../platform/index.js';
import { configOption, examples, jsonOption, type Cli } from './cli.js';
import { CommissionClient } from './commission-client.js';
import { addMembershipCommands } from './membership-commands.js';

export function addGatewayCommand(cli: Cli): void {
  const gateway = cli.program.command('gateway').description('the process that drives doors');
  gateway
    .command('run')
    .description('run a gateway in the foreground until SIGINT or SIGTERM')
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      examples('sparc gateway run --config gateway.yaml', 'SPARC_CONFIG=/etc/sparc/gateway.yaml sparc gateway run'),
    )
    .action(async ({ config }: { config: string }) => {
      // Loaded here, so that the other commands do not need the drivers of serial ports.
      const { runGateway } = await import('../gateway/index.js');
      cli.exitCode = await runGateway(config, { json: cli.output.json });
    });
  gateway
    .command('status')
    .description('say what the gateway that runs enforces, and since when')
    .addOption(configOption())
    .addOption(jsonOption())
    .action(({ config }: { config: string }) => status(cli, config));
  addMembershipCommands(cli, gateway);
}

async function status({ output }: Cli, config: string): Promise<void> {
  const { gateway, policy, clock, revocation, journal, lateRecordsCount } = await CommissionClient.of(
    loadGatewayConfig(config).dataDir,
  ).site();
  const nowUnixMs = createNodeClock().wall().unixMs;
  const since = (unixMs: number) => `since ${new Date(unixMs).toISOString()} (${age(nowUnixMs - unixMs)})`;
  const { number, appliedAtUnixMs } = revocation;
  const lines = [
    `${gateway.name} runs ${since(gateway.startedAtUnixMs)}.`,
    policy === undefined
      ? 'NO POLICY is readable.'
      : `Policy ${policy.revision} ${since(policy.appliedAtUnixMs)}, confirmed ${age(nowUnixMs - policy.confirmedAtUnixMs)} ago.`,
    `${CLOCK_TEXTS[clock.quality]}${clock.errorMs === undefined ? '' : `, within ${Math.ceil(clock.errorMs / 1_000)} s`}.`,
    appliedAtUnixMs === undefined ? 'Nothing is revoked.' : `Revocation ${number} ${since(appliedAtUnixMs)}.`,
    journal.healthy ? 'The journal writes.' : `The journal DOES NOT WRITE: ${lateRecordsCount} records wait.`,
  ];
  output.result({ gateway, policy, clock, revocation, journal, lateRecordsCount }, lines.join('\n'));
}

const CLOCK_TEXTS = {
  synced: 'A time source confirms the clock',
  holdover: 'No time source confirms the clock at the moment; it is still believed',
  unsynced: 'NOBODY CONFIRMS the clock',
  stepped: 'The clock is NOT BELIEVED: it contradicts what was known of the time',
} as const;

const MINUTE_MS = 60_000;

function age(ms: number): string {
  const minutes = Math.max(0, Math.floor(ms / MINUTE_MS));
  const [days, hours] = [Math.floor(minutes / 1_440), Math.floor((minutes % 1_440) / 60)];
  return `${days > 0 ? `${days} d ` : ''}${days > 0 || hours > 0 ? `${hours} h ` : ''}${minutes % 60} min`;
}
