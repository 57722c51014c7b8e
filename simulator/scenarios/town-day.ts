const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Europe/Berlin in January. */
const ZONE_OFFSET_MS = HOUR_MS;

/** People who set out for a door within an hour, by the hour of the local day: a morning and an evening peak, few at night. */
const ERRANDS: readonly number[] = [
  2, 1, 1, 1, 2, 4, 12, 40, 48, 20, 14, 16, 24, 24, 14, 14, 24, 48, 32, 12, 6, 4, 2, 2,
];

/** The local hour, with its fraction. */
export const hourOfDay = (unixMs: number): number => ((unixMs + ZONE_OFFSET_MS) % DAY_MS) / HOUR_MS;

/** Of people who set out for a door, per hour. */
export const errandsAt = (unixMs: number): number => ERRANDS[Math.floor(hourOfDay(unixMs))] ?? 0;

/** The share of those outside among people who come to a gate. */
export function arrivingShare(unixMs: number): number {
  const hour = hourOfDay(unixMs);
  if (hour < 10) return 0.9;
  return hour < 16 ? 0.5 : 0.1;
}
