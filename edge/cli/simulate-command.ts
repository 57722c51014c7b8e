import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { SparcError } from '@sparc/protocol/errors';
import type { Cli } from './cli.js';
import { EXIT_CODES, EXIT, type ExitCode } from './exit-codes.js';

/** The simulator has its own command line; everything is passed on to it. */
export function addSimulateCommand(cli: Cli): void {
  cli.program
    .command('simulate [options...]')
    .description('run a deterministic world with faults and checkers (`sparc simulate --help` asks the simulator)')
    .helpOption(false)
    .allowUnknownOption()
    .passThroughOptions()
    .action(async (options: readonly string[]) => {
      cli.exitCode = await simulate(options);
    });
}

async function simulate(options: readonly string[]): Promise<ExitCode> {
  const child = spawn(process.execPath, [simulatorCli(), ...options], { stdio: 'inherit' });
  // Ctrl-C reaches the simulator as well; it ends in order and says how.
  const ignore = () => undefined;
  process.on('SIGINT', ignore);
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  process.off('SIGINT', ignore);
  if (signal !== null) throw new SparcError('ERR_CLI_INTERNAL', `the simulator was ended by ${signal}`, { signal });
  return EXIT_CODES.find(([known]) => known === code)?.[0] ?? EXIT.internal;
}

/** The simulator imports this package, so this one does not depend on it: it is found where it is installed. */
function simulatorCli(): string {
  let path: string | undefined;
  try {
    path = fileURLToPath(new URL('../../bin/simulate.js', import.meta.resolve('@sparc/simulator/cli')));
  } catch {
    // Not installed: said below.
  }
  if (path !== undefined && existsSync(path)) return path;
  throw new SparcError('ERR_CLI_SIMULATOR_ABSENT', 'the package @sparc/simulator is not there');
}
