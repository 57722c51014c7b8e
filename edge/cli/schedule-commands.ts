import { stringify } from 'yaml';
import { nearestName } from '@sparc/protocol/document';
import { SparcError } from '@sparc/protocol/errors';
import { type Schedule, type SpecialDayGroup, type SitePlan, isTimeZone, ValidityClock } from '@sparc/protocol/policy';
import {
  compileSchedule,
  dateText,
  DAY_MS,
  openPeriods,
  skippedWindows,
  windowText,
  zoneClock,
  type CompiledSchedule,
} from '../access/index.js';
import { readTextFile } from '../config/index.js';
import { createNodeClock } from '../platform/index.js';
import {
  CALENDAR_LENGTH_MAX,
  exportSchedule,
  exportSpecialDays,
  importSchedule,
  importSpecialDays,
} from '../schedules/index.js';
import { configOption, examples, jsonOption, type Cli } from './cli.js';
import { planInForce } from './plan-in-force.js';
import { table } from './text-table.js';

/** What is shown of a schedule where nobody says until when. */
const SHOWN_DAYS = 7;
/** How far ahead a calendar is written out where nobody says until when. */
const IMPORTED_DAYS = 730;

/** Ten years. */
const DAYS_MAX = 3_653;

interface Range {
  readonly config: string;
  readonly from?: string;
  readonly to?: string;
}

interface ImportFlags extends Range {
  readonly id: string;
  readonly name?: string;
  readonly specialDays?: true;
  readonly timeZone?: string;
}

export function addScheduleCommands(cli: Cli): void {
  const schedule = cli.program.command('schedule').description('when doors and rights are open');
  schedule
    .command('show <door-or-schedule>')
    .description('when a schedule, or the unlock schedule of a door, is open; warns of windows that stay empty')
    .option('--from <date>', 'first day, in the site zone (default: today)')
    .option('--to <date>', 'last day (default: six days later)')
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      examples('sparc schedule show main', 'sparc schedule show office --from 2026-03-28 --to 2026-03-30'),
    )
    .action((id: string, range: Range) => show(cli, id, range));
  schedule
    .command('import <file>')
    .description('an iCalendar file as a schedule, or as special days, for a site file')
    .requiredOption('--id <id>', 'id of what is made')
    .option('--name <name>', 'its name (default: the id)')
    .option('--special-days', 'a group of special days, such as public holidays')
    .option('--from <date>', 'first day that matters, in the site zone (default: today)')
    .option('--to <date>', 'last day up to which what does not recur weekly is written out (default: two years later)')
    .option('--time-zone <zone>', 'zone of the site (default: that of the policy in force)')
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      examples(
        'sparc schedule import opening.ics --id office',
        'sparc schedule import holidays.ics --id holidays --special-days',
      ),
    )
    .action((file: string, flags: ImportFlags) => importFile(cli, file, flags));
  schedule
    .command('export <schedule-or-special-days>')
    .description('a schedule or a group of special days of the policy in force, as iCalendar on stdout')
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText('after', examples('sparc schedule export office > office.ics'))
    .action((id: string, { config }: { config: string }) => exportOne(cli, id, config));
}

function show({ output }: Cli, id: string, range: Range): void {
  const { plan } = planInForce(range.config);
  const { timeZone } = plan.site;
  const schedule = scheduleOf(plan, id);
  const compiled = compileSchedule(schedule, (group) => groupOf(plan, group), zoneClock(timeZone));
  const days = daysOf(range, timeZone, SHOWN_DAYS);
  const time = new ValidityClock(timeZone);
  const [fromUnixMs = 0, toUnixMs = 0] = [time.validFrom(days.from), time.validTo(days.to)];
  const open = openPeriods(compiled, fromUnixMs, toUnixMs).map((period) => ({
    from: compiled.clock.text(period.fromUnixMs),
    to: compiled.clock.text(period.toUnixMs),
    hours: hours(period.toUnixMs - period.fromUnixMs),
  }));
  const warnings = warningsOf(compiled, fromUnixMs, toUnixMs, open.length);
  output.result(
    { schedule: schedule.id, timeZone, ...days, open, warnings },
    [
      `${schedule.name} (${schedule.id}), ${timeZone}, ${days.from} to ${days.to}`,
      ...(open.length === 0
        ? []
        : table(
            ['opens', 'closes', 'open for'],
            open.map((each) => [readable(each.from), readable(each.to), each.hours]),
          )),
      ...warnings.map((warning) => `! ${warning}`),
    ].join('\n'),
  );
}

function warningsOf(schedule: CompiledSchedule, fromUnixMs: number, toUnixMs: number, openCount: number): string[] {
  const skipped = skippedWindows(schedule, fromUnixMs, toUnixMs).map(
    ({ day, window }) => `${dateText(day)} ${windowText(window)} is empty: daylight saving skips it`,
  );
  return openCount === 0 ? [...skipped, 'it is not open in these days'] : skipped;
}

/** Of a door its unlock schedule; a door comes before a schedule of the same id. */
function scheduleOf(plan: SitePlan, id: string): Schedule {
  const door = plan.doors.find((each) => each.id === id);
  if (door !== undefined && door.unlockSchedule === undefined) {
    throw new SparcError('ERR_CLI_USAGE', `door ${id} has no unlock schedule`, { id });
  }
  return named(plan.schedules, door?.unlockSchedule ?? id, [...plan.schedules, ...plan.doors], 'door or schedule');
}

const groupOf = (plan: SitePlan, id: string): SpecialDayGroup | undefined =>
  plan.specialDayGroups.find((group) => group.id === id);

function named<T extends { readonly id: string }>(
  entries: readonly T[],
  id: string,
  known: readonly { readonly id: string }[],
  what: string,
): T {
  const found = entries.find((entry) => entry.id === id);
  if (found !== undefined) return found;
  const nearest = nearestName(
    id,
    known.map((entry) => entry.id),
  );
  const hint = nearest === undefined ? '' : ` Did you mean ${nearest}?`;
  throw new SparcError('ERR_CLI_USAGE', `there is no ${what} '${id}'.${hint}`, { id });
}

function importFile({ output }: Cli, file: string, flags: ImportFlags): void {
  const { id, name = id, specialDays } = flags;
  const timeZone = flags.timeZone ?? planInForce(flags.config).plan.site.timeZone;
  if (!isTimeZone(timeZone)) throw new SparcError('ERR_CLI_USAGE', `'${timeZone}' is no time zone of the IANA list`);
  const options = { id, name, timeZone, ...daysOf(flags, timeZone, IMPORTED_DAYS) };
  const text = readTextFile(file, CALENDAR_LENGTH_MAX);
  const { value, notes } = specialDays === true ? importSpecialDays(text, options) : importSchedule(text, options);
  const list = specialDays === true ? 'specialDayGroups' : 'schedules';
  output.result({ [list]: [value], notes }, stringify({ [list]: [value] }).trimEnd());
  for (const note of notes) output.note(`! ${note}`);
}

function exportOne({ output }: Cli, id: string, config: string): void {
  const { plan } = planInForce(config);
  const { id: siteId, timeZone } = plan.site;
  const options = { siteId, timeZone, nowUnixMs: createNodeClock().wall().unixMs };
  const schedule = plan.schedules.find((each) => each.id === id);
  const calendar =
    schedule === undefined
      ? exportSpecialDays(
          named(
            plan.specialDayGroups,
            id,
            [...plan.schedules, ...plan.specialDayGroups],
            'schedule or group of special days',
          ),
          options,
        )
      : exportSchedule(schedule, (group) => groupOf(plan, group), options);
  output.result({ calendar }, calendar.trimEnd());
}

/** Site-local dates, both included. Throws ERR_CLI_USAGE. */
function daysOf(range: Pick<Range, 'from' | 'to'>, timeZone: string, count: number): { from: string; to: string } {
  const from = range.from ?? zoneClock(timeZone).text(createNodeClock().wall().unixMs).slice(0, 10);
  const firstMs = dateMs(from);
  const to = range.to ?? dateText(firstMs / DAY_MS + count - 1);
  if (dateMs(to) < firstMs) throw new SparcError('ERR_CLI_USAGE', `${to} is before ${from}`);
  if (dateMs(to) - firstMs > DAYS_MAX * DAY_MS) {
    throw new SparcError('ERR_CLI_USAGE', `from ${from} to ${to} is more than ${DAYS_MAX} days`);
  }
  return { from, to };
}

function dateMs(date: string): number {
  const dateMs = /^\d{4}-\d{2}-\d{2}$/.test(date) ? Date.parse(`${date}T00:00Z`) : NaN;
  if (Number.isNaN(dateMs) || dateText(dateMs / DAY_MS) !== date) {
    throw new SparcError('ERR_CLI_USAGE', `'${date}' is no date: YYYY-MM-DD`, { date });
  }
  return dateMs;
}

/** `Mo 2026-03-30 08:00 +02:00` */
function readable(text: string): string {
  const day = new Date(text.slice(0, 10)).toUTCString().slice(0, 3);
  return `${day} ${text.slice(0, 10)} ${text.slice(11, 16)} ${text.slice(19)}`;
}

function hours(durationMs: number): string {
  const minutes = Math.round(durationMs / 60_000);
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}
