import { closeSync, existsSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { Option } from 'commander';
import { ERRORS, SparcError } from '@sparc/protocol/errors';
import { headFromText, headToText } from '@sparc/protocol/ledger';
import { loadGatewayConfig } from '../config/index.js';
import { exportLedger, JOURNAL_FILE, verifyLedger, type ExportFormat, type VerifyReport } from '../ledger/index.js';
import { findIdentity } from '../platform/index.js';
import { acting, byOption } from './acting.js';
import { configOption, examples, jsonOption, type Cli } from './cli.js';
import { addImportCommand, exportCourier } from './courier-commands.js';
import { EXIT } from './exit-codes.js';
import { addReplicasCommand } from './replicas-command.js';

interface VerifyFlags {
  readonly config: string;
  readonly author?: string;
  readonly expectHead?: string;
}
interface ExportFlags {
  readonly config: string;
  readonly journal?: string;
  readonly format: ExportFormat | 'courier';
  readonly for?: string;
  readonly by?: string;
}

export function addLedgerCommands(cli: Cli): void {
  const ledger = cli.program.command('ledger').description('the journal: what the gateway recorded');
  ledger
    .command('verify [journal]')
    .description('find a flipped bit, a removed or reordered entry, a missing tail')
    .addOption(configOption())
    .option('--author <key>', 'public key of the gateway, 64 hex digits (default: the one of --config)')
    .option('--expect-head <head>', 'a head that an earlier verification printed: the journal must contain it')
    .addOption(jsonOption())
    .addHelpText('after', '\nWithout a path, the journal of the gateway is verified, also while it runs.')
    .addHelpText('after', examples('sparc ledger verify', 'sparc ledger verify copy/journal.db --author 3b6a…29'))
    .action((journal: string | undefined, flags: VerifyFlags) => verify(cli, journal, flags));
  ledger
    .command('export [file]')
    .description('write the journal to a file, or to stdout')
    .addOption(configOption())
    .option('--journal <journal>', 'a journal file, in place of the one of --config')
    .addOption(byOption())
    .addOption(
      new Option(
        '--format <format>',
        'lines: a JSON object an entry; batches: signed; courier: all ledgers and policy parts that are here, for another gateway of the site',
      )
        .choices(['lines', 'batches', 'courier'] satisfies ExportFlags['format'][])
        .default('lines'),
    )
    .option('--for <heads>', 'with courier: only what a gateway lacks where `sparc mesh heads` printed this file')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      examples('sparc ledger export events.jsonl', 'sparc ledger export --format courier /media/usb/gate.courier'),
    )
    .action((file: string | undefined, flags: ExportFlags) => exportTo(cli, file, flags));
  addImportCommand(cli, ledger);
  addReplicasCommand(cli, ledger);
}

function verify(cli: Cli, journal: string | undefined, { config, author, expectHead }: VerifyFlags): void {
  const dataDir = journal === undefined ? loadGatewayConfig(config).dataDir : undefined;
  const path = journal ?? join(dataDir ?? '', JOURNAL_FILE);
  const key = author === undefined ? dataDir && findIdentity(dataDir)?.publicKey : publicKey(author);
  const report = verifyLedger(path, {
    ...(key ? { author: key } : {}),
    ...(expectHead === undefined ? {} : { expectedHead: head(expectHead) }),
  });
  const { provenTo, ...facts } = report;
  const proven = provenTo === undefined ? {} : { provenTo: JSON.parse(headToText(provenTo)) as unknown };
  cli.output.result({ path, ...facts, ...proven }, verdict(path, report, Boolean(key)));
  if (!report.ok) cli.exitCode = EXIT.checkFailed;
}

function publicKey(text: string): Uint8Array {
  if (!/^[0-9a-fA-F]{64}$/.test(text)) throw new SparcError('ERR_CLI_USAGE', '--author is not 64 hexadecimal digits');
  return Uint8Array.from(Buffer.from(text, 'hex'));
}

function head(text: string) {
  try {
    return headFromText(text);
  } catch (cause) {
    throw new SparcError(
      'ERR_CLI_USAGE',
      '--expect-head is not a head that `sparc ledger verify` printed',
      {},
      { cause },
    );
  }
}

function verdict(path: string, report: VerifyReport, isAuthorKnown: boolean): string {
  const { problem, provenTo, entryCount, emptiedCount, epochCount, author, begunAnew, witness } = report;
  const extent = `${count(entryCount, 'entry', 'entries')} in ${count(epochCount, 'epoch', 'epochs')}`;
  const by = `signed by ${author ?? 'nobody'}${isAuthorKnown ? '' : ' (as the journal says itself: no --author was given)'}`;
  const notes = [
    ...(begunAnew ? ['It says itself that earlier entries are lost.'] : []),
    ...(emptiedCount > 0
      ? [`Of ${count(emptiedCount, 'entry', 'entries')} only the digest is here: the cloud has the rest.`]
      : []),
    ...(witness === 'unreadable' ? ['The file journal.head beside it cannot be used as a witness.'] : []),
    ...(provenTo === undefined
      ? []
      : ['Keep this head: a journal that is cut back later will not contain it.', headToText(provenTo)]),
  ];
  if (problem === undefined) return [`${path} is whole: ${extent}, ${by}.`, ...notes].join('\n');
  const { meaning, action } = ERRORS[problem.code];
  return [
    `${path} is NOT whole: ${problem.code}: ${meaning}`,
    `  ${problem.message}`,
    ...(entryCount === 0 ? [] : [`  Before it: ${extent}, ${by}.`]),
    `  What to do: ${action}`,
    ...notes,
  ].join('\n');
}

const count = (n: number, one: string, many: string) => `${n} ${n === 1 ? one : many}`;

async function exportTo(cli: Cli, file: string | undefined, flags: ExportFlags): Promise<void> {
  const { format, journal } = flags;
  if (format !== 'courier') {
    if (flags.for !== undefined) throw new SparcError('ERR_CLI_USAGE', '--for goes with --format courier');
    return exportJournal(cli, file, { ...flags, format });
  }
  if (file !== undefined && journal === undefined) return exportCourier(cli, file, flags);
  throw new SparcError('ERR_CLI_USAGE', 'a courier needs a file to go into, and is of all ledgers of a gateway');
}

async function exportJournal(
  { output }: Cli,
  file: string | undefined,
  flags: ExportFlags & { readonly format: ExportFormat },
): Promise<void> {
  const { format } = flags;
  const dataDir = flags.journal === undefined ? loadGatewayConfig(flags.config).dataDir : undefined;
  const path = flags.journal ?? join(dataDir ?? '', JOURNAL_FILE);
  const work = () =>
    file === undefined
      ? exportLedger(path, format, (piece) => output.write(piece))
      : writing(file, (write) => exportLedger(path, format, write));
  const newest = await (dataDir === undefined || !existsSync(path)
    ? work()
    : acting(dataDir, flags.by, {
        name: 'ledger.exported',
        work,
        facts: (head) => ({ format, upTo: head === undefined ? 'nothing' : `${head.epoch.counter}.${head.sequence}` }),
      }));
  if (file === undefined) return;
  const text = newest === undefined ? undefined : headToText(newest);
  const end =
    newest === undefined ? 'nothing: it is empty' : `up to entry ${newest.sequence} of epoch ${newest.epoch.counter}`;
  output.result({ path, file, format, head: text && (JSON.parse(text) as unknown) }, `${file} has ${path}, ${end}.`);
}

/** Only for its owner: the journal says who went where. */
function writing<T>(file: string, use: (write: (piece: Uint8Array) => void) => T): T {
  const guarded = <R>(work: () => R): R => {
    try {
      return work();
    } catch (cause) {
      throw new SparcError('ERR_CLI_WRITE_FAILED', `${file}: ${(cause as Error).message}`, { file }, { cause });
    }
  };
  const descriptor = guarded(() => openSync(file, 'w', 0o600));
  try {
    return use((piece) => {
      for (let written = 0; written < piece.length;) {
        written += guarded(() => writeSync(descriptor, piece, written));
      }
    });
  } finally {
    closeSync(descriptor);
  }
}
