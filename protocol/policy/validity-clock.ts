import { ZoneClock } from './zone-clock.js';

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

const DAY_MS = 86_400_000;

/** Turns the wall-clock times of a site file into instants of that site. */
export class ValidityClock {
  readonly #zone: ZoneClock;
  readonly #known = new Map<string, number | undefined>();

  constructor(timeZone: string) {
    this.#zone = new ZoneClock(timeZone);
  }

  /** First instant of a validity (inclusive), or undefined for no moment of the calendar. */
  validFrom(text: string): number | undefined {
    return this.#once(`from ${text}`, () => this.#instant(parseLocal(text), 'first'));
  }

  /** End of a validity, exclusive. A bare date includes that whole day (ONVIF Credential Service, ValidTo). */
  validTo(text: string): number | undefined {
    return this.#once(`to ${text}`, () => {
      const local = parseLocal(text);
      return this.#instant(local === undefined || text.includes('T') ? local : local + DAY_MS, 'last');
    });
  }

  /** Many credentials share few dates. */
  #once(key: string, compute: () => number | undefined): number | undefined {
    if (!this.#known.has(key)) this.#known.set(key, compute());
    return this.#known.get(key);
  }

  /**
   * A time that the clock shows twice (autumn) is its first or its last showing; one that it skips (spring) is the first
   * instant after the gap.
   */
  #instant(local: LocalUnixMs | undefined, which: 'first' | 'last'): number | undefined {
    if (local === undefined) return undefined;
    const around = [local - DAY_MS, local + DAY_MS] as const;
    const showings = around
      .map((near) => local - this.#zone.offsetMs(near))
      .filter((instant) => instant + this.#zone.offsetMs(instant) === local)
      .sort((a, b) => a - b);
    return (
      showings.at(which === 'first' ? 0 : -1) ??
      this.#zone.changes(...around).find((change) => change + this.#zone.offsetMs(change) > local)
    );
  }
}
