import { cardFormat, encodeCard } from '@sparc/protocol/card-format';
import { SparcError } from '@sparc/protocol/errors';
import type { CredentialIdentifier } from '@sparc/protocol/policy';
import type { CardBits } from '../devices/index.js';

/** A value of that many bits, right-aligned, as hexadecimal: what a reader would send. */
export function rawCardBits(bitCount: number, hex: string): CardBits {
  const byteCount = Math.ceil(bitCount / 8);
  const shifted = BigInt(`0x${hex}`) << BigInt(byteCount * 8 - bitCount);
  const digits = shifted.toString(16).padStart(byteCount * 2, '0');
  const bits = Array.from({ length: byteCount }, (_, index) => parseInt(digits.slice(2 * index, 2 * index + 2), 16));
  return { bitCount, bits: Uint8Array.from(bits) };
}

/** The bits of a card that carries this identifier. Throws ERR_CARD_FORMAT_UNKNOWN or ERR_CARD_FIELD_RANGE. */
export function cardBitsOf(identifier: CredentialIdentifier): CardBits {
  if ('bits' in identifier) return rawCardBits(identifier.bits, identifier.value);
  const format = cardFormat(identifier.format);
  if (format === undefined) {
    throw new SparcError('ERR_CARD_FORMAT_UNKNOWN', `no card format is called ${identifier.format}`);
  }
  const { facility, number, issue } = identifier;
  const bits = encodeCard(format, {
    number: String(number),
    ...(facility === undefined ? {} : { facility }),
    ...(issue === undefined ? {} : { issue }),
  });
  return { bitCount: format.bitCount, bits };
}
