import { Option, type Command } from 'commander';
import { isSparcError, SparcError } from '@sparc/protocol/errors';
import type { DecisionInputs, EventRecord } from '@sparc/protocol/events';
import { ValidityClock, type SitePlan } from '@sparc/protocol/policy';
import type { Clock } from '@sparc/protocol/ports';
import { THREAT_LEVEL_MAX } from '@sparc/protocol/site-mode';
import {
  addRevocations,
  decisionRecord,
  explain,
  identify,
  replay,
  type AccessRequest,
  type PassageFacts,
  type RevocationView,
} from '../access/index.js';
import { policyAge } from '../clock/index.js';
import { loadGatewayConfig } from '../config/index.js';
import { readBack } from '../ledger/index.js';
import { PassageBook, readClaims, type Claim } from '../passages/index.js';
import { createNodeClock } from '../platform/index.js';
import { confirmedUnixMsOf, readConfirmation, type SqlitePolicyView } from '../policy/index.js';
import { RevocationBook, RevocationFile } from '../revocation/index.js';
import { configOption, examples, jsonOption, type Cli } from './cli.js';
import { wholeNumber } from './option-values.js';
import { generationInForce, verifyOf, withView } from './plan-in-force.js';

interface TryFlags {
  readonly config: string;
  readonly at?: string;
  readonly pin: DecisionInputs['pin'];
  readonly threatLevel: number;
  readonly inside?: string;
  readonly outside?: true;
  readonly uses?: number;
  readonly firstCard?: 'came' | 'missing';
}

export function addTryCommand(cli: Cli, decision: Command): void {
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
    .option('--threat-level <level>', `0 to ${THREAT_LEVEL_MAX}`, wholeNumber(0, THREAT_LEVEL_MAX), 0)
    .addOption(new Option('--inside <area>', 'the holder is in this area').conflicts('outside'))
    .option('--outside', 'the holder is in no area')
    .option('--uses <count>', 'how often the credential was used', wholeNumber(0, 1_000_000))
    .addOption(
      new Option('--first-card <answer>', 'whether somebody who may opened the door first').choices([
        'came',
        'missing',
      ]),
    )
    .addOption(jsonOption())
    .addHelpText(
      'after',
      [
        '\nWhere it is not said, people are where the journal of the gateway has them, and uses are as it counts them.',
        'Revocations count whenever they were made. The policy is as old at that time as the gateway would take it to be.',
        'Left out is what only a running gateway knows: doors that are blocked, lockdown and fire, airlocks, lock-outs after',
        'wrong PINs, readers that are tampered with or not secure, a clock that nobody confirms. Second persons, escorts and',
        'hosts are asked for and give no answer.',
      ].join('\n'),
    )
    .addHelpText(
      'after',
      examples(
        'sparc decision try card-ada front-in --at 2026-12-25T07:30',
        'sparc decision try card-ada lab-in --inside lab --threat-level 2',
      ),
    )
    .action((credential: string, accessPoint: string, flags: TryFlags) => tryOut(cli, credential, accessPoint, flags));
}

/** Throws ERR_GATEWAY_REVOCATIONS_DAMAGED after it was shown what the rest of them, and the policy, say. */
async function tryOut({ output }: Cli, credentialId: string, accessPointId: string, flags: TryFlags): Promise<void> {
  const { dataDir } = loadGatewayConfig(flags.config);
  const generation = generationInForce(dataDir);
  const damages: unknown[] = [];
  const { manifest } = generation;
  const confirmedUnixMs = confirmedUnixMsOf(manifest, readConfirmation(dataDir, manifest, verifyOf(dataDir)));
  const record = await withView(generation, dataDir, async (view) => {
    const revocations = revocationsOf(dataDir, view.plan, (error) => damages.push(error));
    const kept = { dataDir, revocations, confirmedUnixMs };
    return decisionRecord(replay(await presentation(view, kept, credentialId, accessPointId, flags), view));
  });
  const { name, reason, alsoFailed, flags: flagged, inputs }: EventRecord = record;
  const lines = explain(record);
  output.result({ name, reason, alsoFailed, flags: flagged, inputs, explanation: lines }, lines.join('\n'));
  for (const error of damages) throw error;
}

/** What a data directory has beside the policy. */
interface Kept {
  readonly dataDir: string;
  readonly revocations: RevocationView;
  /** Of the policy, by its authority. */
  readonly confirmedUnixMs: number;
}

function revocationsOf(
  dataDir: string,
  { absorbedDirectives = [] }: SitePlan,
  onFailure: (error: unknown) => void,
): RevocationView {
  const absorbed = new Set(absorbedDirectives.map(({ id }) => id));
  const book = new RevocationBook({
    clock: createNodeClock(),
    store: new RevocationFile(dataDir),
    isAbsorbed: (directive) => absorbed.has(directive),
    record: () => undefined,
    onFailure,
  });
  book.start();
  return book;
}

/** Everything that a decision would be made from. Throws ERR_CLI_USAGE for a name that the policy does not have. */
async function presentation(
  view: SqlitePolicyView,
  { dataDir, revocations, confirmedUnixMs }: Kept,
  credentialId: string,
  accessPointId: string,
  flags: TryFlags,
) {
  const card = view.cardOf(credentialId);
  if (card === undefined) throw usage(`no credential is called ${credentialId}`);
  const wall = { unixMs: instantOf(flags.at, view.timeZone), quality: 'synced' } as const;
  const { accessPoint, credential } = identify(view, accessPointId, card, wall);
  if (accessPoint === undefined) throw usage(`no access point is called ${accessPointId}`);
  if (flags.inside !== undefined && view.area(flags.inside) === undefined)
    throw usage(`no area is called ${flags.inside}`);
  const request: AccessRequest = { accessPointId, card, link: { secure: true, tampered: false }, readAgeMs: 0 };
  const book = bookAt(view, wall, await claimsOf(view, dataDir));
  const known = credential === undefined ? {} : book.factsOf(credential, accessPoint, request);
  const inputs: DecisionInputs = {
    atUnixMs: wall.unixMs,
    timeQuality: wall.quality,
    policyRevision: view.revision,
    direction: accessPoint.direction,
    linkSecure: true,
    linkTampered: false,
    readAgeMs: 0,
    pin: accessPoint.authentication === 'cardAndPin' ? flags.pin : 'none',
    lockedOut: false,
    policyAgeMs: policyAge({ confirmedUnixMs, takenUpMonotonicMs: 0 }, wall, 0),
    ...(flags.threatLevel > 0 && { threatLevel: flags.threatLevel }),
    ...known,
    ...supposed(known, flags),
  };
  addRevocations(inputs, { revocations }, credential);
  return { accessPointId, card, inputs };
}

/** What the options say in place of what the journal has. */
function supposed(known: PassageFacts, { inside, outside, uses, firstCard }: TryFlags): PassageFacts {
  return {
    ...(inside !== undefined && { location: { areaId: inside, certain: true } }),
    ...(outside === true && { location: { certain: true } }),
    ...(uses !== undefined && { usesCount: uses }),
    ...(firstCard !== undefined && known.firstCardIn !== undefined && { firstCardIn: firstCard === 'came' }),
  };
}

/** Who passed where, as of an instant. What has expired by then is recorded nowhere. */
function bookAt(view: SqlitePolicyView, wall: ReturnType<Clock['wall']>, claims: readonly Claim[]): PassageBook {
  const clock: Clock = {
    monotonicMs: () => 0,
    wall: () => wall,
    setTimer: () => ({ cancel: () => undefined }),
  };
  const book: PassageBook = new PassageBook({
    clock,
    record: (event) => book.observe(event, Promise.resolve(undefined)),
    peers: undefined,
    onFirstCard: () => undefined,
  });
  book.configure(view.plan, view, view.plan);
  book.restore(claims);
  return book;
}

/** A gateway that never ran has seen nobody. */
async function claimsOf(view: SqlitePolicyView, dataDir: string): Promise<readonly Claim[]> {
  try {
    const clock = createNodeClock();
    const range = { nowUnixMs: clock.wall().unixMs, withUses: view.hasUseLimits };
    return await readClaims(readBack(dataDir, clock), range);
  } catch (error) {
    if (isSparcError(error, 'ERR_LEDGER_ABSENT')) return [];
    throw error;
  }
}

function instantOf(at: string | undefined, timeZone: string): number {
  const instant = at === undefined ? createNodeClock().wall().unixMs : new ValidityClock(timeZone).validFrom(at);
  if (instant !== undefined) return instant;
  throw usage(`--at ${at} is no day or time of a calendar: 2026-12-25T07:30`);
}

const usage = (message: string) => new SparcError('ERR_CLI_USAGE', message);
