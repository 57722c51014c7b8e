import { WEEKDAYS, type DayRule, type Schedule, type SpecialDayGroup, type TimeWindow } from '@sparc/protocol/policy';

const DAY_MS = 86_400_000;

const dayAfter = (date: string, days: number): string =>
  new Date(Date.parse(date) + days * DAY_MS).toISOString().slice(0, 10);

/** Making one takes far longer than asking it. */
const formats = new Map<string, Intl.DateTimeFormat>();
function wallClock(timeZone: string): Intl.DateTimeFormat {
  let format = formats.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' });
    formats.set(timeZone, format);
  }
  return format;
}

/** A rule of a schedule with its dates. */
interface DatedRule extends DayRule {
  readonly dates: ReadonlySet<string>;
}

/**
 * A second opinion on schedules. It asks `Intl` what the clock on the wall shows and reads the site file as a person
 * would: as text, one instant at a time. No offsets, no arithmetic on windows, no cache, and no line of the gateway's.
 */
export class ScheduleOracle {
  readonly #format: Intl.DateTimeFormat;
  readonly #rules: readonly DatedRule[];

  constructor(
    timeZone: string,
    private readonly schedule: Schedule,
    groups: readonly SpecialDayGroup[] = [],
  ) {
    this.#format = wallClock(timeZone);
    const datesOf = (id: string) => groups.find((group) => group.id === id)?.days.map(({ date }) => date) ?? [];
    this.#rules = [
      ...(schedule.exceptions ?? []).map((rule) => ({ ...rule, dates: new Set([rule.date]) })),
      ...(schedule.specialDays ?? []).map((rule) => ({ ...rule, dates: new Set(datesOf(rule.group)) })),
    ].reverse();
  }

  isOpen(unixMs: number): boolean {
    const [date = '', time = ''] = this.#format.format(unixMs).split(' ');
    return this.#isOpenFrom(date, date, time) || this.#isOpenFrom(dayAfter(date, -1), date, time);
  }

  /** Whether one of the windows that begin on `start` holds the door open at `time` of `date`. */
  #isOpenFrom(start: string, date: string, time: string): boolean {
    const weekday = (['su', ...WEEKDAYS] as const)[new Date(start).getUTCDay()] ?? 'su';
    let open = this.schedule.weekly.some(
      ({ days, ...window }) => days.includes(weekday) && shows(window, start, date, time),
    );
    for (const rule of this.#rules) {
      for (const ruled of [dayAfter(start, -1), start, dayAfter(start, 1)]) {
        if (rule.dates.has(ruled) && governs(rule, this.schedule, ruled, { start, date, time })) {
          const inside = rule.windows.some((window) => shows(window, ruled, date, time));
          open = combined(rule, open, inside, ruled === start);
        }
      }
    }
    return open;
  }
}

function combined({ mode }: DayRule, usual: boolean, inside: boolean, begins: boolean): boolean {
  if (mode === 'and') return usual && inside;
  const added = inside && begins;
  return mode === 'or' ? usual || added : added;
}

function governs(
  { during }: DayRule,
  { specialDaysCutAtMidnight }: Schedule,
  ruled: string,
  { start, date, time }: { readonly start: string; readonly date: string; readonly time: string },
): boolean {
  if (during !== undefined) return shows(during, ruled, date, time);
  return specialDaysCutAtMidnight === true ? ruled === date : ruled === start;
}

/** Whether a window that begins on `start` includes `time` of `date`. */
function shows({ from, to }: TimeWindow, start: string, date: string, time: string): boolean {
  const crosses = to <= from;
  if (date === start) return time >= from && (crosses || time < `${to}:00`);
  return crosses && date === dayAfter(start, 1) && time < `${to}:00`;
}
