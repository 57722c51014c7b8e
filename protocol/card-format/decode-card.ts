import { holds, readField } from './bits.js';
import type { CardFormat } from './card-format.js';
import { decodedKey, RAW_BITS_MAX, rawKey } from './identifier-key.js';
import { cardFormat } from './registry.js';

/** A format a site uses, with the facility codes it accepts; all where it lists none. */
export interface ActiveFormat {
  /** Id in the registry, or `raw`. */
  readonly format: string;
  readonly facilityCodes?: readonly number[] | undefined;
}

/**
 * Id of the format without fields, for cards known by their whole value (CSN, GUID, PKOC key) whose length another
 * active format shares. It accepts every read, so it comes last. Other lengths need no entry.
 */
export const RAW_FORMAT_ID = 'raw';

export interface DecodedCard {
  readonly formatId: string;
  readonly facility?: number;
  /** Decimal; absent for `raw`. */
  readonly number?: string;
  readonly issue?: number;
  readonly other?: Readonly<Record<string, number>>;
  /** As `identifierKey` makes it. */
  readonly key: string;
}

export type CardDecoding =
  | { readonly ok: true; readonly card: DecodedCard }
  | {
      readonly ok: false;
      readonly reason: 'format_unknown' | 'parity_error' | 'facility_not_allowed';
      /** Readings whose parity holds and whose facility code is refused, in the site's order. */
      readonly candidates: readonly DecodedCard[];
    };

function fieldsOf(bits: Uint8Array, format: CardFormat): DecodedCard {
  const facility = format.facility && readField(bits, format.facility);
  const number = String(readField(bits, format.number));
  const key = decodedKey(format.id, facility, number);
  const card: { -readonly [K in keyof DecodedCard]: DecodedCard[K] } = { formatId: format.id, number, key };
  if (facility !== undefined) card.facility = facility;
  if (format.issue) card.issue = readField(bits, format.issue);
  if (format.other) {
    const ranges = Object.entries(format.other);
    card.other = Object.fromEntries(ranges.map(([name, range]) => [name, readField(bits, range)]));
  }
  return card;
}

/** A list of facility codes refuses a card that has none. */
const allows = (codes: readonly number[] | undefined, facility: number | undefined): boolean =>
  codes === undefined || (facility !== undefined && codes.includes(facility));

/**
 * The first format, in the site's order, whose parity holds and whose facility code is allowed: by the format's own list
 * and by `facilityCodes`, the reader's, where given. Parity alone cannot tell formats of one length apart.
 * `bits` are left-justified. Total: any read gives a card or a reason.
 */
export function decodeCard(
  bits: Uint8Array,
  bitCount: number,
  activeFormats: readonly ActiveFormat[],
  facilityCodes?: readonly number[],
): CardDecoding {
  const candidates: DecodedCard[] = [];
  if (!isReadable(bits, bitCount)) return { ok: false, reason: 'format_unknown', candidates };
  let lengthKnown = false;
  for (const active of activeFormats) {
    let card: DecodedCard;
    if (active.format === RAW_FORMAT_ID) {
      card = { formatId: RAW_FORMAT_ID, key: rawKey(bits, bitCount) };
    } else {
      const format = cardFormat(active.format);
      if (format?.bitCount !== bitCount) continue;
      lengthKnown = true;
      if (!format.checks.every((check) => holds(bits, check))) continue;
      card = fieldsOf(bits, format);
    }
    if (allows(active.facilityCodes, card.facility) && allows(facilityCodes, card.facility)) return { ok: true, card };
    candidates.push(card);
  }
  if (candidates.length > 0) return { ok: false, reason: 'facility_not_allowed', candidates };
  return { ok: false, reason: lengthKnown ? 'parity_error' : 'format_unknown', candidates };
}

/**
 * Asks `find` for each key a read may be known under until one answers: the chosen format's (or those of refused readings,
 * so that a stolen card is noticed), then the whole value. None after a parity error: damaged bits identify nobody.
 */
export function findByRead<T>(
  bits: Uint8Array,
  bitCount: number,
  decoding: CardDecoding,
  find: (key: string) => T | undefined,
): T | undefined {
  if (!decoding.ok && decoding.reason === 'parity_error') return undefined;
  for (const { key } of decoding.ok ? [decoding.card] : decoding.candidates) {
    const found = find(key);
    if (found !== undefined) return found;
  }
  return isReadable(bits, bitCount) ? find(rawKey(bits, bitCount)) : undefined;
}

const isReadable = (bits: Uint8Array, bitCount: number): boolean =>
  bitCount >= 1 && bitCount <= RAW_BITS_MAX && bits.length * 8 >= bitCount;
