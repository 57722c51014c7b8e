import { Command, CommanderError, Option } from 'commander';
import { SparcError } from '@sparc/protocol/errors';
import { SiteAuthorities } from '../authority/index.js';
import { CloudConfig, loadCloudConfig } from '../config/index.js';
import { openDatabase, type Database, type DatabaseLocation } from '../db/index.js';
import { authorityKeys, siteSecret } from '../identity/index.js';
import { nodeClock, nodeCrypto, nodePartTools, nodeRandom } from '../platform/index.js';
import { addAuthorityCommands } from './authority-commands.js';
import { addBackupCommands } from './backup-commands.js';
import { addBrokerCommands } from './broker-commands.js';
import { addDatabaseCommands } from './database-commands.js';
import { addGatewayCommands } from './gateway-commands.js';
import { asSparcError, errorText, EXIT, exitCodeOf, traceOf, type ExitCode } from './output.js';
import { addServeCommand } from './serve-command.js';
import { addSiteCommands } from './site-commands.js';
import { addTenantCommands } from './tenant-commands.js';
import { addUserCommands } from './user-commands.js';

/** What a command has of the process that runs it. */
export interface Host {
  readonly out: NodeJS.WritableStream;
  readonly err: NodeJS.WritableStream;
  readonly environment: NodeJS.ProcessEnv;
  readonly now: () => Date;
  /** Aborted when the process is to end. */
  readonly ended: AbortSignal;
}

/** One run of `sparc-cloud`: what its commands share. */
export interface Cli {
  readonly program: Command;
  readonly now: () => Date;
  readonly ended: AbortSignal;
  /** Where logs go. */
  readonly err: NodeJS.WritableStream;
  /** Who is written into the audit. */
  readonly actor: string;
  /** Throws ERR_CONFIG_INVALID or ERR_CONFIG_UNREADABLE. */
  config(): CloudConfig;
  location(): DatabaseLocation;
  /** Authorities of sites, with the keys of the configuration. */
  sites(database: Database): SiteAuthorities;
  /** Closes it when `work` is done. */
  withDatabase<T>(work: (database: Database) => Promise<T>): Promise<T>;
  /** With `--json` the value, else the text. */
  result(value: unknown, text: string): void;
}

/** Runs one command line, without the names of node and script, and says how it ended. Never throws. */
export async function runCli(argv: readonly string[], host: Host): Promise<ExitCode> {
  const isJson = argv.includes('--json');
  const program = new Command('sparc-cloud')
    .description('The cloud tier of SPARC Edge')
    .addOption(new Option('--config <file>', 'YAML file with the variables below').env('SPARC_CLOUD_CONFIG'))
    .option('--json', 'for programs: one JSON value on stdout, errors as JSON on stderr')
    .exitOverride()
    .configureOutput({ writeOut: (text) => host.out.write(text), writeErr: () => undefined })
    .addHelpText('after', variablesText());
  const cli: Cli = {
    program,
    now: host.now,
    ended: host.ended,
    err: host.err,
    actor: `sparc-cloud ${host.environment['USER'] ?? ''}`.trim(),
    config: () => loadCloudConfig(host.environment, program.opts<{ readonly config?: string }>().config),
    location() {
      const { DATABASE_URL: url, DATABASE_POOL_SIZE: connectionsMax } = cli.config();
      return { url, connectionsMax };
    },
    sites: (database) =>
      new SiteAuthorities({
        ...{ clock: nodeClock, random: nodeRandom, crypto: nodeCrypto, database, partTools: nodePartTools },
        keys: authorityKeys(cli.config(), nodeRandom),
      }),
    async withDatabase(work) {
      const database = await openDatabase(cli.location(), siteSecret(cli.config(), nodeRandom));
      try {
        return await work(database);
      } finally {
        await database.close();
      }
    },
    result: (value, text) => host.out.write(`${isJson ? JSON.stringify(value, null, 2) : text}\n`),
  };
  addServeCommand(cli);
  addDatabaseCommands(cli);
  addTenantCommands(cli);
  addSiteCommands(cli);
  addAuthorityCommands(cli);
  addUserCommands(cli);
  addGatewayCommands(cli);
  addBackupCommands(cli);
  addBrokerCommands(cli);
  try {
    await program.parseAsync(argv, { from: 'user' });
    return EXIT.ok;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok;
    const refused = error instanceof CommanderError ? usageError(error) : asSparcError(error);
    host.err.write(`${errorText(refused, isJson)}\n`);
    if (host.environment['SPARC_TRACE'] === '1') host.err.write(`${traceOf(refused)}\n`);
    return exitCodeOf(refused);
  }
}

function usageError({ code, message }: CommanderError): SparcError {
  const isHelp = code === 'commander.help';
  return new SparcError('ERR_CLI_USAGE', isHelp ? 'a command is missing' : message.replace(/^error: /, ''));
}

function variablesText(): string {
  const lines = Object.entries(CloudConfig.properties).map(([name, { description, default: value }]) => {
    const fallback = value === undefined ? '' : ` (default ${value as string})`;
    return `  ${name}  ${description}${fallback}`;
  });
  return [
    '',
    'Variables:',
    ...lines,
    '  …_FILE  after any of these names: a file that holds the value',
    '  SPARC_TRACE  1 adds the trace of an error to its message',
  ].join('\n');
}
