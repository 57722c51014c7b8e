/** Milliseconds that the clocks of a zone are ahead of UTC; asked of the runtime, and of nothing that is under test. */
function offsetMs(timeZone: string, unixMs: number): number {
  const parts = new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' }).formatToParts(unixMs);
  const name = parts.find(({ type }) => type === 'timeZoneName')?.value ?? '';
  const [, sign = '+', hours = '0', minutes = '0'] = /^GMT(?:([+-])(\d{2}):(\d{2}))?$/.exec(name) ?? [];
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
}

const DAY_MS = 86_400_000;

/**
 * The instant of `2026-01-05 10:00[:30] [+01:00]` on the wall of a zone. Throws where the clock never shows that time, or
 * shows it twice and no offset says which is meant.
 */
export function instantOf(text: string, timeZone: string): number {
  const [, date, time, offset] =
    /^(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}(?::\d{2})?)(?: ([+-]\d{2}:\d{2}))?$/.exec(text) ?? [];
  if (date === undefined || time === undefined) throw new Error(`${text} is no time such as 2026-01-05 10:00`);
  if (offset !== undefined) return Date.parse(`${date}T${time}${offset}`);
  const asUtc = Date.parse(`${date}T${time}Z`);
  const offsets = new Set([offsetMs(timeZone, asUtc - DAY_MS), offsetMs(timeZone, asUtc + DAY_MS)]);
  const instants = [...offsets].map((ms) => asUtc - ms).filter((ms) => ms + offsetMs(timeZone, ms) === asUtc);
  const [instant] = instants;
  if (instant === undefined) throw new Error(`the clocks of ${timeZone} never show ${text}`);
  if (instants.length > 1) throw new Error(`the clocks of ${timeZone} show ${text} twice: add +hh:mm`);
  return instant;
}

/** How the clocks of a zone were set between two instants. */
export function clockChange(timeZone: string, fromUnixMs: number, toUnixMs: number): 'forward' | 'back' | undefined {
  const difference = offsetMs(timeZone, toUnixMs) - offsetMs(timeZone, fromUnixMs);
  return difference === 0 ? undefined : difference > 0 ? 'forward' : 'back';
}

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, min: 60_000, h: 3_600_000, days: DAY_MS };

export function durationMs(text: string): number {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?) (ms|s|min|h|days)$/.exec(text) ?? [];
  return Number(number) * (UNITS_MS[unit] ?? NaN);
}
