/** A wall-clock time of the site, as if it were UTC. */
export type LocalUnixMs = number;

/** True for a name of the IANA list. An offset such as `+02:00` is none: it does not know daylight saving. */
export function isTimeZone(name: string): boolean {
  if (/^[+-]|\d{2}:\d{2}/.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** Parses `YYYY-MM-DD`, with `THH:MM` or `THH:MM:SS` where given; undefined when the calendar has no such moment. */
export function parseLocal(text: string): LocalUnixMs | undefined {
  const parts = /^(\d{4}-\d{2}-\d{2})(?:T(\d{2}:\d{2})(?::(\d{2}))?)?$/.exec(text);
  if (parts === null) return undefined;
  const [, date = '', time = '00:00', seconds = '00'] = parts;
  const local = Date.parse(`${date}T${time}:${seconds}Z`);
  // Some months have fewer days than the parser lets pass, and 24:00 rolls over.
  return Number.isNaN(local) || !new Date(local).toISOString().startsWith(`${date}T${time}`) ? undefined : local;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Instants of one site's wall clock. */
export class SiteTime {
  readonly #format: Intl.DateTimeFormat;
  readonly #cache = new Map<string, number | undefined>();

  constructor(timeZone: string) {
    this.#format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  }

  /** First instant of a validity (inclusive), or undefined for no moment of the calendar. */
  validFrom(text: string): number | undefined {
    return this.#memo(`from ${text}`, () => this.#instant(parseLocal(text), 'first'));
  }

  /** End of a validity, exclusive. A bare date includes that whole day (ONVIF Credential Service, ValidTo). */
  validTo(text: string): number | undefined {
    return this.#memo(`to ${text}`, () => {
      const local = parseLocal(text);
      return this.#instant(local === undefined || text.includes('T') ? local : local + DAY_MS, 'last');
    });
  }

  #memo(key: string, compute: () => number | undefined): number | undefined {
    if (!this.#cache.has(key)) this.#cache.set(key, compute());
    return this.#cache.get(key);
  }

  /**
   * A time that the clock shows twice (autumn) is its first or its last showing; one that it skips (spring) is the first
   * instant after the gap.
   */
  #instant(local: LocalUnixMs | undefined, which: 'first' | 'last'): number | undefined {
    if (local === undefined) return undefined;
    const showings = [...new Set([local - DAY_MS, local + DAY_MS].map((near) => local - this.#offsetMs(near)))]
      .filter((instant) => instant + this.#offsetMs(instant) === local)
      .sort((a, b) => a - b);
    return showings.at(which === 'first' ? 0 : -1) ?? this.#endOfGap(local);
  }

  #endOfGap(local: LocalUnixMs): number {
    let before = local - DAY_MS;
    let after = local + DAY_MS;
    while (after - before > 1) {
      const middle = Math.floor((before + after) / 2);
      if (middle + this.#offsetMs(middle) < local) before = middle;
      else after = middle;
    }
    return after;
  }

  /** Wall clock minus UTC at an instant. */
  #offsetMs(unixMs: number): number {
    const second = Math.floor(unixMs / 1_000) * 1_000;
    const part = Object.fromEntries(
      this.#format.formatToParts(second).map(({ type, value }) => [type, Number(value)]),
    ) as Record<'year' | 'month' | 'day' | 'hour' | 'minute' | 'second', number>;
    return Date.UTC(part.year, part.month - 1, part.day, part.hour, part.minute, part.second) - second;
  }
}
