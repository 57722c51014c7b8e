/**
 * A second model of the card formats, written apart from the registry: each format is a picture of its bits, most
 * significant first, and each parity a picture of the bits it covers. Letters: F facility, C card number, I issue,
 * O other, 1 constant one, X exclusive or of the preceding bytes, P parity, `.` free. E or O in a mask is the parity bit
 * and its sense, x a covered bit.
 */
export interface Picture {
  readonly layout: string;
  readonly masks: readonly string[];
}

const run = (letter: string, count: number): string => letter.repeat(count);
const frame = (inner: string): string => `P${inner}P`;

/** First parity bit even over `evenCount` bits after it, last one odd over `oddCount` bits before it. */
const standardMasks = (bitCount: number, evenCount: number, oddCount: number): string[] => [
  `E${run('x', evenCount)}`.padEnd(bitCount, '.'),
  `${run('x', oddCount)}O`.padStart(bitCount, '.'),
];

const wiegand26 = standardMasks(26, 12, 12);
const wiegand34 = standardMasks(34, 16, 16);
const wiegand37 = standardMasks(37, 18, 18);

export const PICTURES: Readonly<Record<string, Picture>> = {
  h10301: { layout: frame(run('F', 8) + run('C', 16)), masks: wiegand26 },
  'indala-26': { layout: frame(run('F', 12) + run('C', 12)), masks: wiegand26 },
  'indala-27': { layout: run('F', 13) + run('C', 14), masks: [] },
  'indala-29': { layout: run('F', 13) + run('C', 16), masks: [] },
  'ats-30': { layout: frame(run('F', 12) + run('C', 16)), masks: standardMasks(30, 12, 16) },
  'adt-31': { layout: `.${run('F', 4)}${run('C', 23)}...`, masks: [] },
  'kastle-32': { layout: frame(`1${run('I', 5)}${run('F', 8)}${run('C', 16)}`), masks: standardMasks(32, 16, 17) },
  d10202: { layout: frame(run('F', 7) + run('C', 24)), masks: standardMasks(33, 16, 16) },
  h10306: { layout: frame(run('F', 16) + run('C', 16)), masks: wiegand34 },
  'bqt-34': { layout: frame(run('F', 8) + run('C', 24)), masks: wiegand34 },
  'corporate-1000-35': {
    layout: `PP${run('F', 12)}${run('C', 20)}P`,
    masks: [
      '.Exx.xx.xx.xx.xx.xx.xx.xx.xx.xx.xx.',
      '.xx.xx.xx.xx.xx.xx.xx.xx.xx.xx.xx.O',
      'Oxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx',
    ],
  },
  'keyscan-36': { layout: frame(run('O', 10) + run('F', 8) + run('C', 16)), masks: standardMasks(36, 17, 17) },
  'simplex-36': {
    layout: frame(`${run('F', 8)}II${run('C', 24)}`),
    masks: [`O${run('x', 17)}`.padEnd(36, '.'), `${run('x', 18)}O`.padStart(36, '.')],
  },
  'siemens-36': {
    layout: frame(run('F', 18) + run('C', 16)),
    masks: ['Ox.xx.xx.xx.xx.xx.xx.xx.xx.xx.xx.xx.', '.xx.xx.xx.xx.xx.xx.xx.xx.xx.xx.xx.xE'],
  },
  h10302: { layout: frame(run('C', 35)), masks: wiegand37 },
  h10304: { layout: frame(run('F', 16) + run('C', 19)), masks: wiegand37 },
  'mdi-37': { layout: frame(`..${run('F', 4)}${run('C', 29)}`), masks: wiegand37 },
  'pyramid-39': { layout: frame(run('F', 17) + run('C', 20)), masks: standardMasks(39, 18, 19) },
  'verkada-40': {
    layout: frame(run('F', 10) + run('C', 28)),
    masks: [`E${run('x', 10)}`.padEnd(40, '.'), `${run('x', 28)}E`.padStart(40, '.')],
  },
  p10001: { layout: `1111${run('F', 12)}${run('C', 16)}${run('X', 8)}`, masks: [] },
  'casi-rusco-40': { layout: `.${run('C', 38)}.`, masks: [] },
  h800002: {
    layout: frame(run('F', 14) + run('C', 30)),
    masks: [`E${run('x', 44)}.`, `.${run('x', 44)}O`],
  },
  'corporate-1000-48': {
    layout: `PP${run('F', 22)}${run('C', 23)}P`,
    masks: [
      '.E.xx.xx.xx.xx.xx.xx.xx.xx.xx.xx.xx.xx.xx.xx.xx.',
      '..xx.xx.xx.xx.xx.xx.xx.xx.xx.xx.xx.xx.xx.xx.xx.O',
      'Oxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx',
    ],
  },
  'inner-range-56': { layout: run('F', 24) + run('C', 32), masks: [] },
  'fasc-n-75': { layout: frame(run('F', 28) + run('C', 20) + run('O', 25)), masks: standardMasks(75, 37, 36) },
};

const place = (layout: string, letter: string, value: bigint): string => {
  const width = layout.split(letter).length - 1;
  const digits = [...value.toString(2).padStart(width, '0')];
  return [...layout].map((char) => (char === letter ? digits.shift() : char)).join('');
};

const ones = (text: string): number => text.split('1').length - 1;

/** The bits of a card as a string of 0 and 1. Values of letters the format lacks are ignored. */
export function drawCard(formatId: string, values: Readonly<Record<string, bigint>>): string {
  const picture = PICTURES[formatId];
  if (!picture) throw new Error(`no picture of ${formatId}`);
  let bits = picture.layout;
  for (const letter of ['F', 'C', 'I', 'O']) {
    if (bits.includes(letter)) bits = place(bits, letter, values[letter] ?? 0n);
  }
  bits = bits.replaceAll('.', '0').replaceAll('P', '0');
  if (bits.includes('X')) {
    const bytes = [0, 8, 16, 24].map((first) => parseInt(bits.slice(first, first + 8), 2));
    bits =
      bits.slice(0, 32) +
      bytes
        .reduce((a, b) => a ^ b)
        .toString(2)
        .padStart(8, '0');
  }
  for (const mask of picture.masks) {
    const at = mask.search(/[EO]/);
    const covered = [...bits].filter((_, index) => mask[index] === 'x').join('');
    const bit = (ones(covered) + (mask[at] === 'O' ? 1 : 0)) % 2;
    bits = bits.slice(0, at) + String(bit) + bits.slice(at + 1);
  }
  return bits;
}

/** Left-justified bytes of a string of 0 and 1. */
export function bytesOf(bits: string): Uint8Array {
  const padded = bits.padEnd(Math.ceil(bits.length / 8) * 8, '0');
  return Uint8Array.from(padded.match(/.{8}/g) ?? [], (byte) => parseInt(byte, 2));
}

/** Value of the bits marked with a letter; undefined where the format has none. */
export function readDrawn(formatId: string, letter: string, bits: string): bigint | undefined {
  const layout = PICTURES[formatId]?.layout ?? '';
  if (!layout.includes(letter)) return undefined;
  return BigInt(`0b${[...bits].filter((_, index) => layout[index] === letter).join('')}`);
}
