import type { CardCheck, CardFormat } from './card-format.js';

const bitsFrom = (first: number, last: number, wanted: (bit: number) => boolean = () => true): number[] =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index).filter(wanted);

const even = (bit: number, ...over: number[]): CardCheck => ({ kind: 'parity', bit, sense: 'even', over });
const odd = (bit: number, ...over: number[]): CardCheck => ({ kind: 'parity', bit, sense: 'odd', over });

/** The common frame: first bit even over the first half, last bit odd over the second. */
const halves = (bitCount: number, evenTo: number, oddFrom: number): CardCheck[] => [
  even(0, ...bitsFrom(1, evenTo)),
  odd(bitCount - 1, ...bitsFrom(oddFrom, bitCount - 2)),
];

/** Two of every three bits: all but those with `bit % 3 === gap`. */
const twoOfThree = (first: number, last: number, gap: number): number[] =>
  bitsFrom(first, last, (bit) => bit % 3 !== gap);

/**
 * Every card format a site may name. Several of one length share their parity ({h10301, indala-26}, {h10306, bqt-34},
 * {h10302, h10304, mdi-37}): only the site's order and facility codes tell them apart.
 * Card data is not standardised; positions are those on which public decoders and vendors' sheets agree. A bit no field
 * or check names is free: ignored by the decoder, zero from the encoder.
 */
export const CARD_FORMATS: readonly CardFormat[] = [
  {
    id: 'h10301',
    name: 'HID H10301 (standard 26-bit)',
    bitCount: 26,
    facility: [1, 8],
    number: [9, 24],
    checks: halves(26, 12, 13),
  },
  { id: 'indala-26', name: 'Indala 26', bitCount: 26, facility: [1, 12], number: [13, 24], checks: halves(26, 12, 13) },
  { id: 'indala-27', name: 'Indala 27', bitCount: 27, facility: [0, 12], number: [13, 26], checks: [] },
  { id: 'indala-29', name: 'Indala 29', bitCount: 29, facility: [0, 12], number: [13, 28], checks: [] },
  {
    id: 'ats-30',
    name: 'ATS Wiegand 30',
    bitCount: 30,
    facility: [1, 12],
    number: [13, 28],
    checks: halves(30, 12, 13),
  },
  // Bits 0 and 28 to 30 are believed to be parity of an unpublished kind: not checked, so never enrolled from a read.
  { id: 'adt-31', name: 'HID ADT 31', bitCount: 31, facility: [1, 4], number: [5, 27], checks: [] },
  {
    id: 'kastle-32',
    name: 'Kastle 32',
    bitCount: 32,
    facility: [7, 14],
    number: [15, 30],
    issue: [2, 6],
    checks: [{ kind: 'fixed', bits: [1, 1], value: 1 }, ...halves(32, 16, 14)],
  },
  { id: 'd10202', name: 'HID D10202', bitCount: 33, facility: [1, 7], number: [8, 31], checks: halves(33, 16, 16) },
  {
    id: 'h10306',
    name: 'HID H10306 and N10002',
    bitCount: 34,
    facility: [1, 16],
    number: [17, 32],
    checks: halves(34, 16, 17),
  },
  { id: 'bqt-34', name: 'BQT 34', bitCount: 34, facility: [1, 8], number: [9, 32], checks: halves(34, 16, 17) },
  {
    id: 'corporate-1000-35',
    name: 'HID Corporate 1000, 35-bit',
    bitCount: 35,
    facility: [2, 13],
    number: [14, 33],
    checks: [even(1, ...twoOfThree(2, 33, 1)), odd(34, ...twoOfThree(1, 32, 0)), odd(0, ...bitsFrom(1, 34))],
  },
  {
    id: 'keyscan-36',
    name: 'KeyScan C15001',
    bitCount: 36,
    facility: [11, 18],
    number: [19, 34],
    other: { oem: [1, 10] },
    checks: halves(36, 17, 18),
  },
  {
    id: 'simplex-36',
    name: 'Simplex S12906',
    bitCount: 36,
    facility: [1, 8],
    number: [11, 34],
    issue: [9, 10],
    checks: [odd(0, ...bitsFrom(1, 17)), odd(35, ...bitsFrom(17, 34))],
  },
  {
    id: 'siemens-36',
    name: 'Siemens 36',
    bitCount: 36,
    facility: [1, 18],
    number: [19, 34],
    checks: [odd(0, ...twoOfThree(1, 34, 2)), even(35, ...twoOfThree(1, 34, 0))],
  },
  { id: 'h10302', name: 'HID H10302', bitCount: 37, number: [1, 35], checks: halves(37, 18, 18) },
  { id: 'h10304', name: 'HID H10304', bitCount: 37, facility: [1, 16], number: [17, 35], checks: halves(37, 18, 18) },
  {
    id: 'mdi-37',
    name: 'PointGuard MDI 37',
    bitCount: 37,
    facility: [3, 6],
    number: [7, 35],
    checks: halves(37, 18, 18),
  },
  {
    id: 'pyramid-39',
    name: 'Pyramid PW39',
    bitCount: 39,
    facility: [1, 17],
    number: [18, 37],
    checks: halves(39, 18, 19),
  },
  {
    id: 'verkada-40',
    name: 'Verkada 40',
    bitCount: 40,
    facility: [1, 10],
    number: [11, 38],
    checks: [even(0, ...bitsFrom(1, 10)), even(39, ...bitsFrom(11, 38))],
  },
  {
    id: 'p10001',
    name: 'Honeywell P10001',
    bitCount: 40,
    facility: [4, 15],
    number: [16, 31],
    checks: [
      { kind: 'fixed', bits: [0, 3], value: 0b1111 },
      { kind: 'xor', bits: [32, 39], over: [0, 8, 16, 24] },
    ],
  },
  { id: 'casi-rusco-40', name: 'Casi-Rusco 40', bitCount: 40, number: [1, 38], checks: [] },
  {
    id: 'h800002',
    name: 'HID H800002',
    bitCount: 46,
    facility: [1, 14],
    number: [15, 44],
    checks: [even(0, ...bitsFrom(1, 44)), odd(45, ...bitsFrom(1, 44))],
  },
  {
    id: 'corporate-1000-48',
    name: 'HID Corporate 1000, 48-bit',
    bitCount: 48,
    facility: [2, 23],
    number: [24, 46],
    checks: [even(1, ...twoOfThree(3, 46, 2)), odd(47, ...twoOfThree(2, 45, 1)), odd(0, ...bitsFrom(1, 47))],
  },
  { id: 'inner-range-56', name: 'Inner Range 56', bitCount: 56, facility: [0, 23], number: [24, 55], checks: [] },
  {
    id: 'fasc-n-75',
    name: 'PIV FASC-N 75 (facility is agency × 16384 + system)',
    bitCount: 75,
    facility: [1, 28],
    number: [29, 48],
    other: { expiry: [49, 73] },
    checks: halves(75, 37, 38),
  },
];

const BY_ID = new Map(CARD_FORMATS.map((format) => [format.id, format]));

/** The format of that id, or undefined. */
export function cardFormat(id: string): CardFormat | undefined {
  return BY_ID.get(id);
}
