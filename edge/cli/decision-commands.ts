import { join } from 'node:path';
import { Option } from 'commander';
import { SparcError } from '@sparc/protocol/errors';
import { isKnownRecord } from '@sparc/protocol/ledger';
import { explain, isDecision, replayEmergencyEntry, replayEntry, type Replayed } from '../access/index.js';
import { loadGatewayConfig } from '../config/index.js';
import { JOURNAL_FILE, readEntries } from '../ledger/index.js';
import { findEmergencyPolicy, findRevision } from '../policy/index.js';
import { configOption, examples, jsonOption, type Cli } from './cli.js';
import { addTryCommand } from './decision-try.js';
import { EXIT } from './exit-codes.js';
import { verifyOf, withView } from './plan-in-force.js';

interface EntryFlags {
  readonly config: string;
  readonly journal?: string;
}
export function addDecisionCommands(cli: Cli): void {
  const decision = cli.program.command('decision').description('why somebody could or could not enter, or will');
  decision
    .command('explain <entry>')
    .description('say in plain words why a decision in the journal is what it is')
    .addOption(configOption())
    .addOption(journalOption())
    .addOption(jsonOption())
    .addHelpText('after', examples('sparc decision explain 3.1841'))
    .action((entry: string, flags: EntryFlags) => explainEntry(cli, entry, flags));
  decision
    .command('replay <entry>')
    .description('decide again from what an entry recorded, and compare')
    .addOption(configOption())
    .addOption(journalOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nAn entry is EPOCH.SEQUENCE. Its policy revision must still be kept on this gateway.')
    .addHelpText('after', examples('sparc decision replay 3.1841', 'sparc decision replay 3.1841 --json'))
    .action((entry: string, flags: EntryFlags) => replayOne(cli, entry, flags));
  addTryCommand(cli, decision);
}

const journalOption = () => new Option('--journal <journal>', 'a journal file, in place of the one of --config');

/** Throws ERR_CLI_USAGE, ERR_LEDGER_NO_DECISION or ERR_LEDGER_EMPTIED. */
function readDecision(entry: string, path: string) {
  const [, epochText, sequenceText] = /^(\d{1,10})\.(\d{1,15})$/.exec(entry) ?? [];
  if (epochText === undefined || sequenceText === undefined) {
    throw new SparcError('ERR_CLI_USAGE', `'${entry}' is no entry: EPOCH.SEQUENCE, such as 3.1841`, { entry });
  }
  const [epoch, sequence] = [Number(epochText), Number(sequenceText)];
  const [found] = readEntries(path, { before: { epoch, sequence: sequence + 1 }, limit: 1 });
  const isFound = found?.id.epoch === epoch && found.id.sequence === sequence;
  const record = isFound ? found.record : undefined;
  if (record !== undefined && isKnownRecord(record) && isDecision(record)) return record;
  if (isFound && found.digest !== undefined) {
    throw new SparcError('ERR_LEDGER_EMPTIED', `entry ${entry} of ${path} was emptied`, { entry });
  }
  throw new SparcError('ERR_LEDGER_NO_DECISION', `entry ${entry} of ${path} is no decision of this version`, { entry });
}

function explainEntry({ output }: Cli, entry: string, { config, journal }: EntryFlags): void {
  const record = readDecision(entry, journal ?? join(loadGatewayConfig(config).dataDir, JOURNAL_FILE));
  const lines = explain(record);
  output.result({ entry, explanation: lines, inputs: record.inputs }, lines.join('\n'));
}

async function replayOne(cli: Cli, entry: string, { config, journal }: EntryFlags): Promise<void> {
  const { dataDir } = loadGatewayConfig(config);
  const record = readDecision(entry, journal ?? join(dataDir, JOURNAL_FILE));
  const { policyRevision } = record.inputs;
  const verify = verifyOf(dataDir);
  const replayed =
    record.inputs.withoutPolicy === true
      ? replayEmergencyEntry(record, findEmergencyPolicy(dataDir, policyRevision, verify))
      : await withView(findRevision(dataDir, policyRevision, verify), dataDir, (view) => replayEntry(record, view));
  cli.output.result({ entry, policyRevision, ...replayed }, comparison(entry, policyRevision, replayed));
  if (!replayed.isSame) cli.exitCode = EXIT.checkFailed;
}

function comparison(entry: string, policyRevision: string, { isSame, recorded, again }: Replayed): string {
  if (isSame)
    return `Entry ${entry} again: the same decision under revision ${policyRevision}.\n${explain(again).join('\n')}`;
  return [
    `Entry ${entry} again: ANOTHER decision.`,
    'Recorded:',
    ...explain(recorded),
    'Again:',
    ...explain(again),
  ].join('\n');
}
