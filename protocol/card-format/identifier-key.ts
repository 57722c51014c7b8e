import { SparcError } from '../errors/index.js';
import type { CredentialIdentifier } from '../policy/index.js';
import { cardFormat } from './registry.js';
import { canonicalNumber, checkedFacility, encodeCard } from './encode-card.js';

/** Longest identifier that is kept, in bits. */
export const RAW_BITS_MAX = 512;

export const decodedKey = (formatId: string, facility: number | undefined, number: string): string =>
  `${formatId}:${facility ?? ''}:${number}`;

const RAW_KEY_PREFIX = 'raw';
const rawKeyOfHex = (bitCount: number, hex: string): string => `${RAW_KEY_PREFIX}:${bitCount}:${hex}`;

/** Key of a whole read: left-justified bits, at most 512 of them. */
export function rawKey(bits: Uint8Array, bitCount: number): string {
  const byteCount = Math.ceil(bitCount / 8);
  const shift = byteCount * 8 - bitCount;
  let hex = '';
  for (let index = 0; index < byteCount; index++) {
    const byte = (((bits[index - 1] ?? 0) << 8) | (bits[index] ?? 0)) >> shift;
    hex += (byte & 0xff).toString(16).padStart(2, '0');
  }
  return rawKeyOfHex(bitCount, hex);
}

function refuse(message: string): never {
  throw new SparcError('ERR_CARD_FIELD_RANGE', message);
}

/**
 * The canonical key a credential's identifier is stored and found under: `h10301:123:4567`, `h10302::9135` (no facility)
 * or `raw:56:04a1b2c3d4e5f6`. The issue is no part of it. Throws ERR_CARD_FORMAT_UNKNOWN or ERR_CARD_FIELD_RANGE.
 */
export function identifierKey(identifier: CredentialIdentifier): string {
  if ('bits' in identifier) {
    const width = Math.ceil(identifier.bits / 8) * 2;
    const hex = identifier.value.toLowerCase().replace(/^0+/, '').padStart(width, '0');
    const topBits = identifier.bits % 8 || 8;
    if (identifier.bits > RAW_BITS_MAX) refuse(`a raw identifier has at most ${RAW_BITS_MAX} bits`);
    if (hex.length > width || parseInt(hex.slice(0, 2), 16) >> topBits > 0) {
      refuse(`value of a raw identifier does not fit in ${identifier.bits} bits`);
    }
    return rawKeyOfHex(identifier.bits, hex);
  }
  const format = cardFormat(identifier.format);
  if (!format) {
    throw new SparcError('ERR_CARD_FORMAT_UNKNOWN', `no card format is called ${identifier.format}`, {
      format: identifier.format,
    });
  }
  return decodedKey(
    format.id,
    checkedFacility(format, identifier.facility),
    canonicalNumber(format, String(identifier.number)),
  );
}

/**
 * A card that is found under this key, as a reader would send it. Throws ERR_CARD_FORMAT_UNKNOWN when no format of this
 * version makes such keys.
 */
export function cardOfKey(key: string, issue?: number): { readonly bitCount: number; readonly bits: Uint8Array } {
  const [formatId = '', first = '', last = ''] = key.split(':');
  if (formatId === RAW_KEY_PREFIX) return { bitCount: Number(first), bits: leftJustified(Number(first), last) };
  const format = cardFormat(formatId);
  if (!format) {
    throw new SparcError('ERR_CARD_FORMAT_UNKNOWN', `no card format is called ${formatId}`, { format: formatId });
  }
  const fields = {
    number: last,
    ...(first !== '' && { facility: Number(first) }),
    ...(issue !== undefined && { issue }),
  };
  return { bitCount: format.bitCount, bits: encodeCard(format, fields) };
}

/** The inverse of `rawKey`. */
function leftJustified(bitCount: number, hex: string): Uint8Array {
  const byteCount = Math.ceil(bitCount / 8);
  const shift = byteCount * 8 - bitCount;
  const byteAt = (index: number) => parseInt(hex.slice(index * 2, index * 2 + 2) || '0', 16);
  return Uint8Array.from(
    { length: byteCount },
    (_, index) => (((byteAt(index) << 8) | byteAt(index + 1)) << shift) >> 8,
  );
}
