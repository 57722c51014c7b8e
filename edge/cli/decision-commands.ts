import { join } from 'node:path';
import { Option } from 'commander';
import { SparcError } from '@sparc/protocol/errors';
import type { EventRecord } from '@sparc/protocol/events';
import { isKnownRecord } from '@sparc/protocol/ledger';
import { decisionRecord, explain, isDecision, replay, replayEntry, type Replayed } from '../access/index.js';
import { loadGatewayConfig } from '../config/index.js';
import { JOURNAL_FILE, readEntries } from '../ledger/index.js';
import { createNodeClock, findIdentity, nodeRandom, verifySignature } from '../platform/index.js';
import { findRevision, loadPinKey, SqlitePolicyView, ValidityClock, verifyGeneration } from '../policy/index.js';
import { configOption, examples, jsonOption, type Cli } from './cli.js';
import { EXIT } from './exit-codes.js';

interface EntryFlags {
  readonly config: string;
  readonly journal?: string;
}
interface TryFlags {
  readonly config: string;
  readonly at?: string;
  readonly pin: 'none' | 'right' | 'wrong' | 'duress';
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
  decision
    .command('try <credential> <access-point>')
    .description('what the policy in force would decide; nothing is recorded, no door moves')
    .addOption(configOption())
    .option('--at <time>', 'site time, such as 2026-12-25T07:30 (default: now)')
    .addOption(
      new Option('--pin <answer>', 'what is typed, where a PIN is asked')
        .choices(['none', 'right', 'wrong', 'duress'])
        .default('right'),
    )
    .addOption(jsonOption())
    .addHelpText('after', examples('sparc decision try card-ada front-in --at 2026-12-25T07:30'))
    .action((credential: string, accessPoint: string, flags: TryFlags) => tryOut(cli, credential, accessPoint, flags));
}

const journalOption = () => new Option('--journal <journal>', 'a journal file, in place of the one of --config');

/** Throws ERR_CLI_USAGE or ERR_LEDGER_NO_DECISION. */
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
  throw new SparcError('ERR_LEDGER_NO_DECISION', `entry ${entry} of ${path} is no decision of this version`, { entry });
}

function explainEntry({ output }: Cli, entry: string, { config, journal }: EntryFlags): void {
  const record = readDecision(entry, journal ?? join(loadGatewayConfig(config).dataDir, JOURNAL_FILE));
  const lines = explain(record);
  output.result({ entry, explanation: lines, inputs: record.inputs }, lines.join('\n'));
}

function replayOne(cli: Cli, entry: string, { config, journal }: EntryFlags): void {
  const { dataDir } = loadGatewayConfig(config);
  const record = readDecision(entry, journal ?? join(dataDir, JOURNAL_FILE));
  const { policyRevision } = record.inputs;
  const path = findRevision(dataDir, policyRevision, verifyOf(dataDir));
  const replayed = withView(path, dataDir, (view) => replayEntry(record, view));
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

function tryOut({ output }: Cli, credentialId: string, accessPointId: string, { config, at, pin }: TryFlags): void {
  const { dataDir } = loadGatewayConfig(config);
  const { current, rejected } = verifyGeneration(dataDir, verifyOf(dataDir));
  if (current === undefined) throw rejected[0] ?? noPolicy(dataDir);
  const record = withView(current.path, dataDir, (view): EventRecord => {
    const card = view.cardOf(credentialId);
    const accessPoint = view.accessPoint(accessPointId);
    if (card === undefined) throw new SparcError('ERR_CLI_USAGE', `no credential is called ${credentialId}`);
    if (accessPoint === undefined) throw new SparcError('ERR_CLI_USAGE', `no access point is called ${accessPointId}`);
    const inputs = {
      atUnixMs: instantOf(at, view.timeZone),
      timeQuality: 'synced',
      policyRevision: view.revision,
      direction: accessPoint.direction,
      linkSecure: true,
      linkTampered: false,
      readAgeMs: 0,
      pin: accessPoint.authentication === 'card' && accessPoint.scheduledAuthentication === undefined ? 'none' : pin,
      lockedOut: false,
    } as const;
    return decisionRecord(replay({ accessPointId, card, inputs }, view));
  });
  const { name, reason, alsoFailed, flags, inputs } = record;
  const lines = explain(record);
  output.result({ name, reason, alsoFailed, flags, inputs, explanation: lines }, lines.join('\n'));
}

function instantOf(at: string | undefined, timeZone: string): number {
  const instant = at === undefined ? createNodeClock().wall().unixMs : new ValidityClock(timeZone).validFrom(at);
  if (instant !== undefined) return instant;
  throw new SparcError('ERR_CLI_USAGE', `--at ${at} is no day or time of a calendar: 2026-12-25T07:30`);
}

function verifyOf(dataDir: string) {
  const identity = findIdentity(dataDir);
  if (identity === undefined) throw noPolicy(dataDir);
  return (message: Uint8Array, signature: Uint8Array) => verifySignature(identity.publicKey, message, signature);
}

const noPolicy = (dataDir: string) =>
  new SparcError('ERR_POLICY_NONE', `no site file has been applied to ${dataDir}`, { dataDir });

function withView<T>(path: string, dataDir: string, use: (view: SqlitePolicyView) => T): T {
  const view = SqlitePolicyView.open(path, loadPinKey(dataDir, nodeRandom));
  try {
    return use(view);
  } finally {
    view.close();
  }
}
