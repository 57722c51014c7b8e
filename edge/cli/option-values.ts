import { InvalidArgumentError } from 'commander';
import { SparcError } from '@sparc/protocol/errors';
import { BAUD_RATES } from '@sparc/protocol/osdp';

export function number(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new SparcError('ERR_CLI_USAGE', `'${text}' is no number`);
  return Number(text);
}

export const numbers = (text: string) => text.split(',').map(number);

/** `0-3,7` is 0, 1, 2, 3 and 7. */
export function ranges(text: string): number[] {
  return text.split(',').flatMap((part) => {
    const [first = '', last = first] = part.split('-');
    const [from, to] = [number(first), number(last)];
    return Array.from({ length: Math.max(0, Math.min(to, 255) - from + 1) }, (_, index) => from + index);
  });
}

/** A whole number within a range, as an option or part of one. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^[0-9]+$/.test(text) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`It is not a whole number from ${min} to ${max}.`);
  };
}

const UNITS_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `90s`, `30m`, `2h` or `3d`, in ms. */
export function duration(text: string): number {
  const [, count, unit = ''] = /^([1-9]\d{0,5})([smhd])$/.exec(text) ?? [];
  const unitMs = UNITS_MS[unit];
  if (count !== undefined && unitMs !== undefined) return Number(count) * unitMs;
  throw new SparcError('ERR_CLI_USAGE', `'${text}' is no duration such as 90s, 30m, 2h or 3d`);
}

/** One of the rates of OSDP. */
export function baudRate(text: string): number {
  const rate = BAUD_RATES.find((each) => String(each) === text);
  if (rate === undefined) throw new InvalidArgumentError(`OSDP knows ${BAUD_RATES.join(', ')}.`);
  return rate;
}
