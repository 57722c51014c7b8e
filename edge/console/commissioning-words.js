/** The words of commissioning. What errors mean comes from the API's catalogue, what is wrong with a bus from its findings. */

export const KEY_WORDS = {
  none: { level: 'warn', badge: 'No key' },
  proven: { level: 'good', badge: 'Key proven' },
  changing: { level: 'waiting', badge: 'Key changing' },
  lost: { level: 'bad', badge: 'Key lost' },
};

export const BAUD_RATES = [9_600, 19_200, 38_400, 57_600, 115_200, 230_400];
export const ADDRESS_MAX = 126;

const THOUSANDS = /\B(?=(\d{3})+$)/g;
/** With a narrow no-break space between thousands. */
export const baud = (rate) => `${String(rate).replace(THOUSANDS, '\u202f')} baud`;

export const millis = (ms) =>
  ms < 1_000 ? `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;

export function share(part, whole) {
  if (whole === 0) return '–';
  const percent = (part / whole) * 100;
  if (part === 0) return '0';
  return percent < 0.1 ? '< 0.1 %' : `${percent < 10 ? percent.toFixed(1) : Math.round(percent)} %`;
}

export function sizeOf(bytes) {
  return bytes < 10_240 ? `${bytes} bytes` : `${Math.round(bytes / 1_024)} KiB`;
}

/** Minutes and seconds that are left, as `24:07`. */
export function left(ms) {
  const seconds = Math.max(0, Math.ceil(ms / 1_000));
  const [minutes, rest] = [Math.floor(seconds / 60), seconds % 60];
  return `${minutes}:${String(rest).padStart(2, '0')}`;
}

/** What a person calls a device: its name in the plan, those of its readers, or its id. */
export function deviceName({ site, view }, id) {
  const planned = view.devices.find((device) => device.id === id)?.name;
  const readers = site.readers.filter(({ deviceId }) => deviceId === id).map(({ name }) => name);
  return planned ?? (readers.length === 0 ? id : readers.join(' / '));
}

/** A message of the gateway as a sentence. */
export const sentence = (text) => `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;
