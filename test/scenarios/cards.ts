import { cardFormat, encodeCard } from '@sparc/protocol/card-format';
import type { Credential } from '@sparc/protocol/policy';

/** What a reader sends. */
export interface Card {
  readonly bitCount: number;
  /** Left-justified. */
  readonly bits: Uint8Array;
}

/** The card by the first identifier of a credential. */
export function cardOf({ identifiers }: Credential): Card {
  const [identifier] = identifiers;
  if (identifier === undefined) throw new Error('a credential without an identifier has no card');
  if ('bits' in identifier) return rawCard(identifier.bits, identifier.value);
  const { format, facility, number, issue } = identifier;
  return formattedCard(format, facility, String(number), issue);
}

export function rawCard(bitCount: number, hex: string): Card {
  const value = BigInt(`0x${hex}`) << BigInt((8 - (bitCount % 8)) % 8);
  const bits = Buffer.from(value.toString(16).padStart(Math.ceil(bitCount / 8) * 2, '0'), 'hex');
  return { bitCount, bits: new Uint8Array(bits) };
}

export function formattedCard(formatId: string, facility: number | undefined, number: string, issue?: number): Card {
  const format = cardFormat(formatId);
  if (format === undefined) throw new Error(`there is no format ${formatId}`);
  const fields = { number, ...(facility !== undefined && { facility }), ...(issue !== undefined && { issue }) };
  return { bits: encodeCard(format, fields), bitCount: format.bitCount };
}

/** One bit of it is wrong. */
export const misread = ({ bitCount, bits }: Card): Card => ({
  bitCount,
  bits: bits.map((byte, at) => (at === 1 ? byte ^ 1 : byte)),
});
