import type { BitRange, CardCheck } from './card-format.js';

/** Bit `index` of left-justified bytes; 0 beyond their end. */
function bitAt(bits: Uint8Array, index: number): number {
  return ((bits[index >> 3] ?? 0) >> (7 - (index & 7))) & 1;
}

function setBit(bits: Uint8Array, index: number, value: number): void {
  const mask = 0x80 >> (index & 7);
  bits[index >> 3] = ((bits[index >> 3] ?? 0) & ~mask) | (value === 0 ? 0 : mask);
}

/** Unsigned value of at most 53 bits, most significant first. */
export function readField(bits: Uint8Array, [first, last]: BitRange): number {
  const firstByte = first >> 3;
  const lastByte = last >> 3;
  let value = (bits[firstByte] ?? 0) & (0xff >> (first & 7));
  if (firstByte === lastByte) return value >> (7 - (last & 7));
  for (let index = firstByte + 1; index < lastByte; index++) value = value * 256 + (bits[index] ?? 0);
  const lastBits = (last & 7) + 1;
  return value * (1 << lastBits) + ((bits[lastByte] ?? 0) >> (8 - lastBits));
}

export function writeField(bits: Uint8Array, [first, last]: BitRange, value: number): void {
  let rest = value;
  for (let index = last; index >= first; index--) {
    setBit(bits, index, rest % 2);
    rest = Math.floor(rest / 2);
  }
}

export const widthOf = ([first, last]: BitRange): number => last - first + 1;

/** What the bits of a check must hold, given the bits it covers. */
function expected(bits: Uint8Array, check: CardCheck): number {
  switch (check.kind) {
    case 'parity': {
      let ones = check.sense === 'odd' ? 1 : 0;
      for (const index of check.over) ones ^= bitAt(bits, index);
      return ones;
    }
    case 'xor':
      return check.over.reduce((byte, first) => byte ^ readField(bits, [first, first + 7]), 0);
    case 'fixed':
      return check.value;
  }
}

export function holds(bits: Uint8Array, check: CardCheck): boolean {
  const actual = check.kind === 'parity' ? bitAt(bits, check.bit) : readField(bits, check.bits);
  return actual === expected(bits, check);
}

export function apply(bits: Uint8Array, check: CardCheck): void {
  const value = expected(bits, check);
  if (check.kind === 'parity') setBit(bits, check.bit, value);
  else writeField(bits, check.bits, value);
}
