const POLYNOMIAL = 0x1021;
const INITIAL = 0x1d0f;

const TABLE = Uint16Array.from({ length: 256 }, (_, index) => {
  let crc = index << 8;
  for (let bit = 0; bit < 8; bit += 1) crc = timesX(crc);
  return crc;
});

/** In the field of remainders by the polynomial. */
function timesX(value: number): number {
  return ((value << 1) ^ (value & 0x8000 ? POLYNOMIAL : 0)) & 0xffff;
}

/** The register after one more byte. */
export const crcAfter = (crc: number, byte: number): number => ((crc << 8) & 0xffff) ^ (TABLE[(crc >> 8) ^ byte] ?? 0);

/** CRC-16/SPI-FUJITSU (AUG-CCITT) over SOM to the last byte before the CRC (SIA OSDP v2.2, "CRC"). Sent low byte first. */
export function crc16(bytes: Uint8Array): number {
  let crc = INITIAL;
  for (const byte of bytes) crc = crcAfter(crc, byte);
  return crc;
}

/**
 * The CRC of a stretch of `length` bytes, from the register before and after them of a run that began elsewhere. The
 * register is linear: what it held before a stretch leaves it as a multiple by x to the 8 times `length`.
 */
export const crcOfStretch = (before: number, after: number, length: number): number =>
  after ^ product(before ^ INITIAL, powerOfBytes(length));

/** x to the power 8, 16, 32 … of bytes, by doubling. */
const POWERS: readonly number[] = Array.from({ length: 16 }).reduce<number[]>((powers) => {
  const last = powers.at(-1);
  return [...powers, last === undefined ? 0x100 : product(last, last)];
}, []);

function powerOfBytes(count: number): number {
  let power = 1;
  for (let bit = 0; count >> bit > 0; bit += 1) {
    if ((count >> bit) & 1) power = product(power, POWERS[bit] ?? 0);
  }
  return power;
}

function product(a: number, b: number): number {
  let sum = 0;
  for (let bit = 15; bit >= 0; bit -= 1) {
    sum = timesX(sum) ^ ((b >> bit) & 1 ? a : 0);
  }
  return sum;
}
