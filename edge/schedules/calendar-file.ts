import ICAL from 'ical.js';
import { SparcError } from '@sparc/protocol/errors';
import { type ZoneClock, isTimeZone } from '@sparc/protocol/policy';
import { zoneClock } from '../access/index.js';

/** A calendar of a few thousand events. */
export const CALENDAR_LENGTH_MAX = 1_048_576;

/** Occurrences that are gone through in one file, from the beginning of each event: daily for 27 years. */
export const OCCURRENCES_MAX = 10_000;

const MINUTE_MS = 60_000;
const WEEK_MS = 604_800_000;

/** An occurrence that was moved into or out of the days that matter by more than this is not noticed. */
const MOVED_BY_MAX_MS = 8 * WEEK_MS;

/** When an event takes place, by the wall clock of the site, as if that were UTC. `toLocalMs` is exclusive. */
export interface Occurrence {
  readonly fromLocalMs: number;
  readonly toLocalMs: number;
  readonly isWholeDays: boolean;
  readonly isCancelled: boolean;
  readonly summary: string;
}

/** What the library gives of an occurrence; its own types leave it open. */
interface OccurrenceDetails {
  readonly item: ICAL.Event;
  readonly startDate: ICAL.Time;
  readonly endDate: ICAL.Time;
}

export const refused = (message: string, cause?: unknown): SparcError =>
  new SparcError('ERR_POLICY_CALENDAR', message, {}, { cause });

/** A calendar whose times are read by the clock of a site. To be used within {@link reading}. */
export class CalendarFile {
  readonly events: readonly ICAL.Event[];
  #occurrencesLeft = OCCURRENCES_MAX;

  constructor(
    text: string,
    private readonly site: ZoneClock,
  ) {
    const calendar = new ICAL.Component(ICAL.parse(text) as unknown[]);
    if (calendar.name !== 'vcalendar') throw refused(`is a ${calendar.name}, and not a VCALENDAR`);
    const all = calendar
      .getAllSubcomponents('vevent')
      .filter((event) => event.getFirstPropertyValue('status') !== 'CANCELLED' || event.hasProperty('recurrence-id'));
    const changed = all.filter((event) => event.hasProperty('recurrence-id'));
    const uidOf = (event: ICAL.Component) => event.getFirstPropertyValue('uid');
    this.events = all
      .filter((event) => !changed.includes(event))
      .map((event) => new ICAL.Event(event, { exceptions: changed.filter((other) => uidOf(other) === uidOf(event)) }));
    if (this.events.length === 0) throw refused('has no events');
    for (const event of this.events) {
      if (!event.component.hasProperty('dtstart')) throw refused(`${nameOf(event)}: does not say when it begins`);
    }
  }

  /** What of an event begins before `untilLocalMs` and ends after `fromLocalMs`. */
  occurrences(event: ICAL.Event, fromLocalMs: number, untilLocalMs: number): readonly Occurrence[] {
    return [...this.#all(event, fromLocalMs - MOVED_BY_MAX_MS, untilLocalMs + MOVED_BY_MAX_MS)].filter(
      (each) => each.toLocalMs > fromLocalMs && each.fromLocalMs < untilLocalMs && !each.isCancelled,
    );
  }

  /** Those planned before `untilLocalMs`, and some that are long over. */
  *#all(event: ICAL.Event, fromLocalMs: number, untilLocalMs: number): Generator<Occurrence> {
    const { startDate, component } = event;
    if (!event.isRecurring()) {
      yield this.occurrence(event, startDate, event.endDate);
      return;
    }
    const zone = zoneOf(component, 'dtstart');
    const first = startDate.clone();
    if (isEveryWeek(event)) {
      // Any week may begin such a row, and ONVIF lets them begin in 1970.
      const weeksCount = Math.floor((fromLocalMs - this.#local(startDate, zone)) / WEEK_MS);
      if (weeksCount > 0) first.adjust(7 * weeksCount, 0, 0, 0);
    }
    const iterator = event.iterator(first);
    for (let planned = iterator.next(); planned; planned = iterator.next()) {
      if (this.#local(planned, zone) >= untilLocalMs) return;
      if (this.#occurrencesLeft-- === 0) throw refused(`has more than ${OCCURRENCES_MAX} occurrences to go through`);
      if (!isInItsYear(planned, event)) continue;
      const details: unknown = event.getOccurrenceDetails(planned);
      const { item, startDate: start, endDate: end } = details as OccurrenceDetails;
      yield this.occurrence(item, start, end);
    }
  }

  /** Of an event or one that was moved. */
  occurrence(event: ICAL.Event, start: ICAL.Time, end: ICAL.Time): Occurrence {
    const { component } = event;
    const startZone = zoneOf(component, 'dtstart');
    const fromLocalMs = this.#local(start, startZone);
    const toLocalMs = this.#local(end, zoneOf(component, 'dtend') ?? startZone);
    const summary = nameOf(event);
    if (toLocalMs <= fromLocalMs) throw refused(`${summary}: ends before it begins, by the clock of the site`);
    if (fromLocalMs % MINUTE_MS !== 0 || toLocalMs % MINUTE_MS !== 0) {
      throw refused(`${summary}: does not begin and end at full minutes`);
    }
    const isCancelled = component.getFirstPropertyValue('status') === 'CANCELLED';
    return { fromLocalMs, toLocalMs, isWholeDays: start.isDate, summary, isCancelled };
  }

  /** A time without a zone is of the site. */
  #local(time: ICAL.Time, zone: string | undefined): number {
    const { year, month, day, hour, minute, second } = time;
    const localMs = Date.UTC(year, month - 1, day, hour, minute, second);
    if (time.isDate || this.isOfSite(zone, time)) return localMs;
    const unixMs = isUtc(time) ? localMs : instantIn(localMs, zone ?? '', time);
    return unixMs + this.site.offsetMs(unixMs);
  }

  isOfSite(zone: string | undefined, time: ICAL.Time): boolean {
    return isUtc(time) ? this.site.timeZone === 'UTC' : zone === undefined || zone === this.site.timeZone;
  }
}

export const ruleOf = (event: ICAL.Event) => event.component.getFirstPropertyValue('rrule') as ICAL.Recur | null;

/** True for an event that recurs every week without end, on weekdays of its choice. */
export function isEveryWeek(event: ICAL.Event): boolean {
  const { component } = event;
  const rule = ruleOf(event);
  const isOnlyRule = component.getAllProperties('rrule').length === 1 && !component.hasProperty('rdate');
  if (rule === null || !isOnlyRule || rule.freq !== 'WEEKLY' || rule.interval !== 1 || rule.isFinite()) return false;
  const days = (rule.parts['BYDAY'] ?? []) as readonly string[];
  return Object.keys(rule.parts).every((part) => part === 'BYDAY') && days.every((day) => day.length === 2);
}

/** A date that a year does not have is left out (RFC 5545, 3.3.10); the library goes on into the next month. */
function isInItsYear({ month, day }: ICAL.Time, event: ICAL.Event): boolean {
  const rule = ruleOf(event);
  if (rule?.freq !== 'YEARLY' || event.component.hasProperty('rdate')) return true;
  const parts = rule.parts as Readonly<Record<string, readonly number[] | undefined>>;
  const months = Object.keys(parts).length === 0 ? [event.startDate.month] : parts['BYMONTH'];
  const days = parts['BYMONTHDAY'];
  return months?.includes(month) !== false && (days?.includes(day) !== false || days.some((each) => each < 0));
}

export const nameOf = (event: ICAL.Event): string => String(event.summary ?? event.uid ?? 'an event');

/** The TZID of a date of an event. */
export function zoneOf(event: ICAL.Component, property: 'dtstart' | 'dtend'): string | undefined {
  return event.getFirstProperty(property)?.getFirstParameter('tzid');
}

const isUtc = (time: ICAL.Time): boolean => time.zone === ICAL.Timezone.utcTimezone;

function instantIn(localMs: number, zone: string, time: ICAL.Time): number {
  if (isTimeZone(zone)) {
    const clock = zoneClock(zone);
    return localMs - clock.offsetMs(localMs - clock.offsetMs(localMs));
  }
  // A name of its own, such as Outlook's, is explained by the VTIMEZONE that comes with it.
  if (time.zone.tzid === zone) return time.toUnixTime() * 1_000;
  throw refused(`names the time zone ${zone}, which neither the IANA list nor the file explains`);
}

/** Runs what reads a calendar; whatever the library trips over in it is a refusal of the file. */
export function reading<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof SparcError) throw error;
    throw refused(`is no iCalendar that can be read: ${error instanceof Error ? error.message : String(error)}`, error);
  }
}
