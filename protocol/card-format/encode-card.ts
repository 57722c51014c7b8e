import { SparcError } from '../errors/index.js';
import { apply, widthOf, writeField } from './bits.js';
import type { BitRange, CardFields, CardFormat } from './card-format.js';

function refuse(format: CardFormat, field: string, problem: string): never {
  throw new SparcError('ERR_CARD_FIELD_RANGE', `${field} of ${format.id} ${problem}`, { format: format.id, field });
}

function inRange(format: CardFormat, field: string, range: BitRange, value: number): number {
  const max = 2 ** widthOf(range) - 1;
  if (!Number.isInteger(value) || value < 0 || value > max) refuse(format, field, `must be 0 to ${max}`);
  return value;
}

/** The card number as decimal without leading zeros. Throws ERR_CARD_FIELD_RANGE. */
export function canonicalNumber(format: CardFormat, number: string): string {
  if (!/^\d{1,24}$/.test(number)) refuse(format, 'number', 'must be decimal digits');
  return String(inRange(format, 'number', format.number, Number(number)));
}

/** A facility code that the format has and that fits, or undefined where it has none. Throws ERR_CARD_FIELD_RANGE. */
export function checkedFacility(format: CardFormat, facility: number | undefined): number | undefined {
  if (format.facility === undefined) {
    return facility === undefined ? undefined : refuse(format, 'facility', 'does not exist');
  }
  return facility === undefined
    ? refuse(format, 'facility', 'is missing')
    : inRange(format, 'facility', format.facility, facility);
}

/**
 * The bits of a card, left-justified in ceil(bitCount / 8) bytes, padding zero. An absent issue or other field is 0.
 * Throws ERR_CARD_FIELD_RANGE.
 */
export function encodeCard(format: CardFormat, fields: CardFields): Uint8Array {
  const bits = new Uint8Array(Math.ceil(format.bitCount / 8));
  const facility = checkedFacility(format, fields.facility);
  if (format.facility && facility !== undefined) writeField(bits, format.facility, facility);
  writeField(bits, format.number, Number(canonicalNumber(format, fields.number)));
  if (fields.issue !== undefined) {
    if (!format.issue) refuse(format, 'issue', 'does not exist');
    writeField(bits, format.issue, inRange(format, 'issue', format.issue, fields.issue));
  }
  for (const [name, value] of Object.entries(fields.other ?? {})) {
    const range = format.other?.[name] ?? refuse(format, name, 'does not exist');
    writeField(bits, range, inRange(format, name, range, value));
  }
  for (const check of format.checks) apply(bits, check);
  return bits;
}
