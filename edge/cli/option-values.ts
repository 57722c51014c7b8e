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

/** One of the rates of OSDP. */
export function baudRate(text: string): number {
  const rate = BAUD_RATES.find((each) => String(each) === text);
  if (rate === undefined) throw new InvalidArgumentError(`OSDP knows ${BAUD_RATES.join(', ')}.`);
  return rate;
}
