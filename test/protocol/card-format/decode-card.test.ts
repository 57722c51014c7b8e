import fc from 'fast-check';
import t from 'tap';
import {
  CARD_FORMATS,
  cardFormat,
  decodeCard,
  encodeCard,
  identifierKey,
  findByRead,
  RAW_FORMAT_ID,
  rawKey,
  type CardDecoding,
  type CardFields,
} from '@sparc/protocol/card-format';
import { checkProperty } from '../../support/property.js';

function card(id: string, fields: CardFields): { bits: Uint8Array; bitCount: number } {
  const format = cardFormat(id);
  if (!format) throw new Error(`no format ${id}`);
  return { bits: encodeCard(format, fields), bitCount: format.bitCount };
}

/** Every key that is asked for, where none is known. */
function lookUpKeys(bits: Uint8Array, bitCount: number, decoding: CardDecoding): string[] {
  const keys: string[] = [];
  findByRead(bits, bitCount, decoding, (key) => void keys.push(key));
  return keys;
}

const standard = card('h10301', { facility: 123, number: '4567' });

t.test('of formats with one length, the first in the order of the site is chosen', async (t) => {
  const { bits, bitCount } = standard;
  const choose = (...ids: string[]) => {
    const decoding = decodeCard(
      bits,
      bitCount,
      ids.map((format) => ({ format })),
    );
    return decoding.ok ? decoding.card.key : decoding.reason;
  };
  t.equal(choose('h10301', 'indala-26'), 'h10301:123:4567');
  t.equal(choose('indala-26', 'h10301'), 'indala-26:1969:471');
});

t.test('a format whose facility code is refused leaves the read to the next one', async (t) => {
  const { bits, bitCount } = standard;
  const decoding = decodeCard(bits, bitCount, [
    { format: 'indala-26', facilityCodes: [7] },
    { format: 'h10301', facilityCodes: [122, 123] },
  ]);
  t.match(decoding, { ok: true, card: { formatId: 'h10301' } });
});

t.test("the reader's facility codes narrow those of the site", async (t) => {
  const { bits, bitCount } = standard;
  const decoding = decodeCard(bits, bitCount, [{ format: 'h10301', facilityCodes: [123] }], [124]);
  t.match(decoding, { ok: false, reason: 'facility_not_allowed', candidates: [{ key: 'h10301:123:4567' }] });
});

t.test('a list of facility codes refuses a card that has none', async (t) => {
  const { bits, bitCount } = card('h10302', { number: '9135' });
  t.match(decodeCard(bits, bitCount, [{ format: 'h10302' }], [0]), { ok: false, reason: 'facility_not_allowed' });
});

t.test('facility code 0 and card number 0 are values like any other', async (t) => {
  const { bits, bitCount } = card('h10301', { facility: 0, number: '0' });
  t.match(decodeCard(bits, bitCount, [{ format: 'h10301', facilityCodes: [0] }]), {
    ok: true,
    card: { facility: 0, number: '0', key: 'h10301:0:0' },
  });
});

t.test('a length no format of the site has is format_unknown, and is looked up by its whole value', async (t) => {
  const csn = { bits: Uint8Array.of(0x04, 0xa1, 0xb2, 0xc3, 0xd4, 0xe5, 0xf6), bitCount: 56 };
  const decoding = decodeCard(csn.bits, csn.bitCount, [{ format: 'h10301' }]);
  t.match(decoding, { ok: false, reason: 'format_unknown' });
  t.same(lookUpKeys(csn.bits, csn.bitCount, decoding), ['raw:56:04a1b2c3d4e5f6']);
});

t.test('a parity error is looked up under no key at all', async (t) => {
  const bits = Uint8Array.from(standard.bits);
  bits[0] = (bits[0] ?? 0) ^ 0x40;
  const decoding = decodeCard(bits, 26, [{ format: 'h10301' }, { format: 'indala-26' }]);
  t.match(decoding, { ok: false, reason: 'parity_error', candidates: [] });
  t.same(lookUpKeys(bits, 26, decoding), []);
});

t.test(
  'with raw listed last, bits of another format of that length are a whole value instead of a parity error',
  async (t) => {
    const csn = Uint8Array.of(0x12, 0x34, 0x56, 0x79);
    const formats = [{ format: 'kastle-32' }];
    t.match(decodeCard(csn, 32, formats), { ok: false, reason: 'parity_error' });
    const decoding = decodeCard(csn, 32, [...formats, { format: RAW_FORMAT_ID }]);
    t.match(decoding, { ok: true, card: { formatId: RAW_FORMAT_ID, key: 'raw:32:12345679' } });
    t.same(new Set(lookUpKeys(csn, 32, decoding)), new Set(['raw:32:12345679']));
  },
);

t.test('a read is looked up under the chosen format first, then under its whole value', async (t) => {
  const { bits, bitCount } = standard;
  const decoding = decodeCard(bits, bitCount, [{ format: 'indala-26' }, { format: 'h10301' }]);
  t.same(lookUpKeys(bits, bitCount, decoding), ['indala-26:1969:471', 'raw:26:02f623ae']);
});

t.test('the search ends at the first key that is known', async (t) => {
  const { bits, bitCount } = standard;
  const decoding = decodeCard(bits, bitCount, [{ format: 'h10301' }]);
  const asked: string[] = [];
  const found = findByRead(bits, bitCount, decoding, (key) => (asked.push(key), 'credential'));
  t.equal(found, 'credential');
  t.same(asked, ['h10301:123:4567']);
});

t.test('any bits give a card or a reason, and every key they give is short', async (t) => {
  const formats = [...CARD_FORMATS.map(({ id }) => ({ format: id })), { format: 'no-such-format' }];
  checkProperty(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.integer({ min: -1, max: 70_000 }), (bits, bitCount) => {
      const decoding = decodeCard(bits, bitCount, formats);
      return lookUpKeys(bits, bitCount, decoding).every((key) => key.length <= 140);
    }),
    1_000,
  );
  t.pass();
});

t.test('an identifier has the key that its card is read under', async (t) => {
  checkProperty(
    fc.property(fc.constantFrom(...CARD_FORMATS), fc.nat(15), fc.nat(4_095), (format, facility, number) => {
      const fields = { number: String(number), ...(format.facility && { facility }) };
      const decoding = decodeCard(encodeCard(format, fields), format.bitCount, [{ format: format.id }]);
      return decoding.ok && decoding.card.key === identifierKey({ format: format.id, ...fields });
    }),
  );
  checkProperty(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 64 }), fc.nat(7), (bytes, unused) => {
      const bitCount = bytes.length * 8 - unused;
      const last = bytes.length - 1;
      bytes[last] = ((bytes[last] ?? 0) >> unused) << unused;
      const value = BigInt(`0x${Buffer.from(bytes).toString('hex')}`) >> BigInt(unused);
      const digits = value.toString(16);
      const hex = digits.padStart(digits.length + (digits.length % 2), '0');
      return rawKey(bytes, bitCount) === identifierKey({ bits: bitCount, value: hex });
    }),
  );
  t.pass();
});

t.test('one identifier has one key, however it is written', async (t) => {
  t.equal(identifierKey({ format: 'h10301', facility: 1, number: '0042' }), 'h10301:1:42');
  t.equal(identifierKey({ format: 'h10301', facility: 1, number: 42 }), 'h10301:1:42');
  t.equal(identifierKey({ format: 'kastle-32', facility: 1, number: 42, issue: 3 }), 'kastle-32:1:42');
  t.equal(identifierKey({ format: 'h10302', number: 42 }), 'h10302::42');
  t.equal(identifierKey({ bits: 26, value: '02F623AE' }), 'raw:26:02f623ae');
  t.equal(identifierKey({ bits: 64, value: 'ff' }), 'raw:64:00000000000000ff');
});

t.test('an identifier that no card can carry is refused', async (t) => {
  t.throws(() => identifierKey({ format: 'h10300', number: 1 }), { code: 'ERR_CARD_FORMAT_UNKNOWN' });
  t.throws(() => identifierKey({ format: 'h10301', number: 1 }), { code: 'ERR_CARD_FIELD_RANGE' });
  t.throws(() => identifierKey({ format: 'h10301', facility: 300, number: 1 }), { code: 'ERR_CARD_FIELD_RANGE' });
  t.throws(() => identifierKey({ bits: 26, value: '04000000' }), { code: 'ERR_CARD_FIELD_RANGE' });
  t.throws(() => identifierKey({ bits: 8, value: '0100' }), { code: 'ERR_CARD_FIELD_RANGE' });
  t.throws(() => identifierKey({ bits: 513, value: '01' }), { code: 'ERR_CARD_FIELD_RANGE' });
});
