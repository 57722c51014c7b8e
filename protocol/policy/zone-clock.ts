const DAY_MS = 86_400_000;
const DAYS_KEPT_MAX = 1_000;

/** Offsets of one UTC day; `changeUnixMs` is Infinity on a day without a change. */
interface DayOffsets {
  readonly beforeMs: number;
  readonly afterMs: number;
  readonly changeUnixMs: number;
}

/**
 * Local time of one IANA zone. `Intl` answers in about 10 µs, so offsets are kept by UTC day; a zone changes its offset at
 * most once in a day.
 */
export class ZoneClock {
  readonly #format: Intl.DateTimeFormat;
  readonly #days = new Map<number, DayOffsets>();

  /** Throws RangeError for a zone that the runtime does not know. */
  constructor(readonly timeZone: string) {
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

  /** Milliseconds to add to UTC for local time. */
  offsetMs(unixMs: number): number {
    const day = this.#day(Math.floor(unixMs / DAY_MS));
    return unixMs < day.changeUnixMs ? day.beforeMs : day.afterMs;
  }

  /** Instants from `fromUnixMs` to `toUnixMs` at which the offset changes. */
  changes(fromUnixMs: number, toUnixMs: number): number[] {
    const instants: number[] = [];
    for (let day = Math.floor(fromUnixMs / DAY_MS); day * DAY_MS <= toUnixMs; day++) {
      const { changeUnixMs } = this.#day(day);
      if (changeUnixMs >= fromUnixMs && changeUnixMs <= toUnixMs) instants.push(changeUnixMs);
    }
    return instants;
  }

  /**
   * What the clock on the wall shows, with its offset: `2026-10-25T02:30:00+01:00`. Of an hour that autumn repeats, the
   * offset tells which pass it is.
   */
  text(unixMs: number): string {
    const offsetMinutes = Math.round(this.offsetMs(unixMs) / 60_000);
    const local = new Date(unixMs + this.offsetMs(unixMs)).toISOString().slice(0, 19);
    const offset = [Math.floor(Math.abs(offsetMinutes) / 60), Math.abs(offsetMinutes) % 60];
    return `${local}${offsetMinutes < 0 ? '-' : '+'}${offset.map((part) => String(part).padStart(2, '0')).join(':')}`;
  }

  #day(number: number): DayOffsets {
    let day = this.#days.get(number);
    if (day === undefined) {
      if (this.#days.size >= DAYS_KEPT_MAX) this.#days.clear();
      day = this.#compute(number * DAY_MS);
      this.#days.set(number, day);
    }
    return day;
  }

  #compute(startUnixMs: number): DayOffsets {
    let before = startUnixMs;
    let after = startUnixMs + DAY_MS;
    const beforeMs = this.#ask(before);
    const afterMs = this.#ask(after);
    if (beforeMs === afterMs) return { beforeMs, afterMs, changeUnixMs: Infinity };
    while (after - before > 1) {
      const middle = Math.floor((before + after) / 2);
      if (this.#ask(middle) === beforeMs) before = middle;
      else after = middle;
    }
    return { beforeMs, afterMs, changeUnixMs: after };
  }

  #ask(unixMs: number): number {
    const fields: Record<string, number> = {};
    for (const { type, value } of this.#format.formatToParts(unixMs)) fields[type] = Number(value);
    const { year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0 } = fields;
    return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(unixMs / 1_000) * 1_000;
  }
}
