/** Of 65 characters each, as many as the value of a detail holds. */
const KEYS_MAX = 15;

/** Public keys as the detail of a record holds them. */
export const keyList = (keys: readonly string[]): string => keys.slice(0, KEYS_MAX).join(' ');
