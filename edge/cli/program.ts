import { Command, CommanderError } from 'commander';
import { SparcError } from '@sparc/protocol/errors';
import { sparcVersion } from '../platform/index.js';
import { Cli, CONFIG_DEFAULT, examples, jsonOption } from './cli.js';
import { addCommands } from './command-groups.js';
import { EXIT, EXIT_CODES, exitCodeOf, type ExitCode } from './exit-codes.js';
import { asSparcError, createOutput, type Streams } from './output.js';

/** Runs one command line, without the names of node and script, and says how it ended. Never throws. */
export async function runCli(argv: readonly string[], streams: Streams): Promise<ExitCode> {
  const output = createOutput(streams, argv.includes('--json'));
  const program = new Command('sparc');
  const cli = new Cli(program, output);
  program
    .description('SPARC Edge: access control that decides at the door')
    .version(sparcVersion())
    .addOption(jsonOption())
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({ writeOut: (text) => streams.out.write(text), writeErr: () => undefined })
    .addHelpText('after', examples('sparc policy apply site.yaml', 'sparc gateway run', 'sparc ledger verify'))
    .addHelpText('after', `\n${facts()}`);
  await addCommands(cli, argv);
  try {
    await program.parseAsync(argv, { from: 'user' });
    return cli.exitCode;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok;
    const refused = error instanceof CommanderError ? usageError(error) : asSparcError(error);
    output.error(refused);
    return exitCodeOf(refused);
  }
}

function usageError({ code, message }: CommanderError): SparcError {
  const isHelp = code === 'commander.help';
  return new SparcError('ERR_CLI_USAGE', isHelp ? 'a command is missing' : message.replace(/^error: /, ''));
}

function facts(): string {
  return [
    'Environment:',
    `  SPARC_CONFIG  configuration of the gateway, where --config is not given (default ${CONFIG_DEFAULT})`,
    '  SPARC_OPERATOR_KEY  key of the operator, where --key is not given',
    '  SPARC_COMMISSIONING_CODE  code of an open commissioning window',
    '  SPARC_TRACE   1 adds the trace of a defect to its message',
    '',
    'Exit codes:',
    ...EXIT_CODES.map(([code, meaning]) => `  ${code}  ${meaning}`),
  ].join('\n');
}
