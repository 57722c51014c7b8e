/** Formats instants in the zone of a site, whatever the zone of the screen. */
export function clockOf(timeZone) {
  const options = { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23', timeZone };
  const time = new Intl.DateTimeFormat(undefined, options);
  const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium', timeZone });
  const day = new Intl.DateTimeFormat(undefined, { weekday: 'short', day: 'numeric', month: 'short', timeZone });
  return { time: (ms) => time.format(ms), full: (ms) => full.format(ms), day: (ms) => day.format(ms) };
}

/** How long ago, as `7 min`. */
export function ago(ms) {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3_600)} h`;
  return `${Math.floor(seconds / 86_400)} days`;
}
