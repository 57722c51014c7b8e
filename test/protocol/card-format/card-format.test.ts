import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import {
  canAutoEnrol,
  cardOfKey,
  cardFormat,
  CARD_FORMATS,
  decodeCard,
  encodeCard,
  identifierKey,
  rawKey,
  type BitRange,
  type CardFields,
  type CardFormat,
} from '@sparc/protocol/card-format';
import { checkProperty } from '../../support/property.js';
import { bytesOf, drawCard, PICTURES, readDrawn } from './reference-model.js';

/** Right-aligned. The first agrees with a HID reader's raw output (2006F623AE) and an ASN.1 PACS value (06BD88EB80). */
const VECTORS: readonly (readonly [format: string, facility: number | undefined, number: string, hex: string])[] = [
  ['h10301', 123, '4567', '2F623AE'],
  ['d10202', 123, '4567', '0F60023AF'],
  ['h10306', 123, '4567', '000F623AF'],
  ['bqt-34', 123, '4567', '0F60023AF'],
  ['corporate-1000-35', 123, '4567', '60F6023AF'],
  ['keyscan-36', 123, '4567', '800F623AE'],
  ['simplex-36', 123, '4567', 'BD80023AF'],
  ['h10302', undefined, '4567', '00000023AF'],
  ['h10304', 123, '4567', '0007B023AF'],
  ['pyramid-39', 123, '4567', '000F6023AF'],
  ['verkada-40', 123, '4567', '0F600023AE'],
  ['corporate-1000-48', 123, '4567', '40007B0023AE'],
  ['indala-26', 123, '4095', '00F7FFF'],
];

const format = (id: string): CardFormat => {
  const found = cardFormat(id);
  if (!found) throw new Error(`no format ${id}`);
  return found;
};
const max = ([first, last]: BitRange): number => 2 ** (last - first + 1) - 1;
const valueIn = (range: BitRange | undefined) =>
  range ? fc.integer({ min: 0, max: max(range) }) : fc.constant(undefined);

const fieldsOf = (of: CardFormat): fc.Arbitrary<CardFields> =>
  fc
    .record({
      facility: valueIn(of.facility),
      number: fc.integer({ min: 0, max: max(of.number) }).map(String),
      issue: valueIn(of.issue),
      other: fc.record(
        Object.fromEntries(Object.entries(of.other ?? {}).map(([name, range]) => [name, valueIn(range)])),
        { noNullPrototype: true },
      ),
    })
    .map(({ facility, number, issue, other }) => ({
      number,
      ...(facility !== undefined && { facility }),
      ...(issue !== undefined && { issue }),
      ...(of.other && { other: other as Record<string, number> }),
    }));

const stringOf = (bits: Uint8Array, bitCount: number): string =>
  [...bits]
    .map((byte) => byte.toString(2).padStart(8, '0'))
    .join('')
    .slice(0, bitCount);

t.test('published cards encode to their published bits', async (t) => {
  for (const [id, facility, number, hex] of VECTORS) {
    const bits = encodeCard(format(id), { number, ...(facility !== undefined && { facility }) });
    const expected = BigInt(`0x${hex}`).toString(2).padStart(format(id).bitCount, '0');
    t.equal(stringOf(bits, format(id).bitCount), expected, id);
    const decoding = decodeCard(bits, format(id).bitCount, [{ format: id }]);
    t.match(decoding, { ok: true, card: { number, ...(facility !== undefined && { facility }) } }, id);
  }
});

t.test('the registry and the second model name the same formats, of the same length', async (t) => {
  t.same(CARD_FORMATS.map(({ id }) => id).sort(), Object.keys(PICTURES).sort());
  for (const { id, bitCount } of CARD_FORMATS) t.equal(PICTURES[id]?.layout.length, bitCount, id);
});

t.test('the encoder draws the same bits as the second model', async (t) => {
  for (const of of CARD_FORMATS) {
    checkProperty(
      fc.property(fieldsOf(of), (fields) => {
        const drawn = drawCard(of.id, {
          F: BigInt(fields.facility ?? 0),
          C: BigInt(fields.number),
          I: BigInt(fields.issue ?? 0),
          O: BigInt(Object.values(fields.other ?? {})[0] ?? 0),
        });
        return stringOf(encodeCard(of, fields), of.bitCount) === drawn;
      }),
    );
    t.pass(of.id);
  }
});

t.test('what the second model draws is decoded to what it drew', async (t) => {
  for (const of of CARD_FORMATS) {
    checkProperty(
      fc.property(fieldsOf(of), (fields) => {
        const bits = drawCard(of.id, {
          F: BigInt(fields.facility ?? 0),
          C: BigInt(fields.number),
          I: BigInt(fields.issue ?? 0),
        });
        const decoding = decodeCard(bytesOf(bits), of.bitCount, [{ format: of.id }]);
        if (!decoding.ok) return false;
        const { facility, number, issue } = decoding.card;
        return (
          readDrawn(of.id, 'C', bits) === BigInt(number ?? -1) &&
          readDrawn(of.id, 'F', bits) === (facility === undefined ? undefined : BigInt(facility)) &&
          readDrawn(of.id, 'I', bits) === (issue === undefined ? undefined : BigInt(issue))
        );
      }),
    );
    t.pass(of.id);
  }
});

t.test('a card decodes to the fields it was encoded from', async (t) => {
  for (const of of CARD_FORMATS) {
    checkProperty(
      fc.property(fieldsOf(of), (fields) => {
        const decoding = decodeCard(encodeCard(of, fields), of.bitCount, [{ format: of.id }]);
        if (!decoding.ok) return false;
        const { formatId, key: _key, ...decoded } = decoding.card;
        return formatId === of.id && isDeepStrictEqual({ ...decoded }, fields);
      }),
    );
    t.pass(of.id);
  }
});

t.test('a flip of any single covered bit is a parity error', async (t) => {
  for (const of of CARD_FORMATS.filter(canAutoEnrol)) {
    const covered = new Set(
      of.checks.flatMap((check) => {
        if (check.kind === 'parity') return [check.bit, ...check.over];
        if (check.kind === 'fixed') return [check.bits[0]];
        return Array.from({ length: of.bitCount }, (_, bit) => bit);
      }),
    );
    for (const range of [of.facility, of.number, of.issue, ...Object.values(of.other ?? {})]) {
      for (let bit = range?.[0] ?? 0; range && bit <= range[1]; bit++) {
        if (!covered.has(bit)) t.fail(`bit ${bit} of ${of.id} is covered by no check`);
      }
    }
    checkProperty(
      fc.property(fieldsOf(of), fc.constantFrom(...covered), (fields, bit) => {
        const bits = encodeCard(of, fields);
        bits[bit >> 3] = (bits[bit >> 3] ?? 0) ^ (0x80 >> (bit & 7));
        const decoding = decodeCard(bits, of.bitCount, [{ format: of.id }]);
        return !decoding.ok && decoding.reason === 'parity_error';
      }),
    );
    t.pass(of.id);
  }
});

t.test('formats without parity are never enrolled from a read', async (t) => {
  t.same(
    CARD_FORMATS.filter((of) => !canAutoEnrol(of)).map(({ id }) => id),
    ['indala-27', 'indala-29', 'adt-31', 'casi-rusco-40', 'inner-range-56'],
  );
});

t.test('fields that a format lacks, misses or cannot hold are refused', async (t) => {
  const refused = (id: string, fields: CardFields) =>
    t.throws(() => encodeCard(format(id), fields), { code: 'ERR_CARD_FIELD_RANGE' });
  refused('h10301', { number: '1' });
  refused('h10301', { facility: 256, number: '1' });
  refused('h10301', { facility: -1, number: '1' });
  refused('h10301', { facility: 1.5, number: '1' });
  refused('h10301', { facility: 1, number: '65536' });
  refused('h10301', { facility: 1, number: '0x10' });
  refused('h10301', { facility: 1, number: '1', issue: 0 });
  refused('h10301', { facility: 1, number: '1', other: { oem: 1 } });
  refused('h10302', { facility: 1, number: '1' });
  refused('kastle-32', { facility: 1, number: '1', issue: 32 });
  refused('keyscan-36', { facility: 1, number: '1', other: { oem: 1024 } });
});

t.test('the card of a key is read under that key again', async (t) => {
  checkProperty(
    fc.property(
      fc.integer({ min: 1, max: 512 }),
      fc.uint8Array({ minLength: 64, maxLength: 64 }),
      (bitCount, noise) => {
        const bits = noise.slice(0, Math.ceil(bitCount / 8));
        const key = rawKey(bits, bitCount);
        const card = cardOfKey(key);
        return card.bitCount === bitCount && card.bits.length === bits.length && rawKey(card.bits, bitCount) === key;
      },
    ),
    300,
  );
  for (const [id, facility, number] of VECTORS) {
    const identifier = { format: id, number, ...(facility !== undefined && { facility }) };
    const { bits, bitCount } = cardOfKey(identifierKey(identifier));
    t.match(decodeCard(bits, bitCount, [{ format: id }]), { ok: true, card: { key: identifierKey(identifier) } }, id);
  }
  t.throws(() => cardOfKey('no-such-format:1:2'), { code: 'ERR_CARD_FORMAT_UNKNOWN' });
});
