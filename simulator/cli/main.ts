import { Command, InvalidArgumentError, Option } from 'commander';
import { BusWorld, CommissioningWorld, MeshWorld, SiteWorld, TownWorld } from '../site/index.js';
import { reportText } from './report.js';

const WORLDS = {
  site: SiteWorld,
  bus: BusWorld,
  commissioning: CommissioningWorld,
  mesh: MeshWorld,
  town: TownWorld,
} as const;
/** A bus world works at byte level: three minutes of it have tens of thousands of frames. */
const HOURS_DEFAULT = { site: 2, bus: 0.05, commissioning: 0.05, mesh: 0.05, town: 2 } as const;

const program = new Command('sparc simulate')
  .description('Runs a deterministic world with faults and checkers. The same seed gives the same digest.')
  .addOption(
    new Option(
      '--world <world>',
      'site: people and cards for hours; bus: bytes for minutes; commissioning: readers from their box; mesh: gateways and their links; town: 16 gateways, 200 doors and 5,000 people for days',
    ).choices(Object.keys(WORLDS)),
  )
  .option('--seed <number>', 'what everything is drawn from', wholeNumber, 1)
  .option(
    '--hours <hours>',
    'simulated time with faults, before the world heals; of the town, all of it (default: site and town 2, others 0.05)',
    positive,
  )
  .option(
    '--pace <factor>',
    'of the town: how many times as often as usual people set out and operators direct',
    positive,
  )
  .option('--json', 'the report as JSON')
  .addHelpText(
    'after',
    [
      '',
      'Exit codes: 0 no violation, 1 a checker objected, 2 wrong usage.',
      '',
      'Examples:',
      '  sparc simulate --seed 42',
      '  sparc simulate --seed 42 --world bus',
      '  sparc simulate --seed 42 --hours 72 --json',
      '  sparc simulate --seed 42 --hours 72 --world town',
      '  sparc simulate --seed 42 --world town --pace 0.5',
    ].join('\n'),
  )
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  .parse();
const {
  world = 'site',
  seed,
  hours = HOURS_DEFAULT[world],
  pace,
  json,
} = program.opts<{ world?: keyof typeof WORLDS; seed: number; hours?: number; pace?: number; json?: true }>();
if (pace !== undefined && world !== 'town') program.error('error: --pace is for --world town');

function wholeNumber(text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number)) throw new InvalidArgumentError('A whole number is wanted.');
  return number;
}

function positive(text: string): number {
  const number = Number(text);
  if (!(number > 0 && number <= 1_000)) throw new InvalidArgumentError('More than 0 and at most 1000 is wanted.');
  return number;
}

const report = await new WORLDS[world]({ seed, hours, ...(pace !== undefined && { pace }) }).run();
const paced = pace === undefined ? '' : ` --pace ${pace}`;
const command = `sparc simulate --world ${world} --seed ${seed} --hours ${hours}${paced}`;
process.stdout.write(
  json
    ? `${JSON.stringify({ ...report, faultsFired: Object.fromEntries(report.faultsFired), command })}\n`
    : reportText(report, command),
);
process.exitCode = report.violations.length === 0 ? 0 : 1;
