import { configOption, examples, jsonOption, type Cli } from './cli.js';

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
}
