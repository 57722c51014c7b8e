import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import {
  decodeExtendedId,
  decodeReply,
  decodeTransparentCommand,
  decodeTransparentReply,
  DIALECTS,
  encodeExtendedId,
  encodeReply,
  encodeTransparentCommand,
  encodeTransparentReply,
  EXTENDED_ID_TAG,
  type TransparentCommand,
  type TransparentReply,
} from '@sparc/protocol/osdp';
import { checkProperty } from '../../support/property.js';
import { toHex } from './osdp-vectors.js';

const u8 = fc.nat(0xff);
const some = fc.uint8Array({ maxLength: 60 });
const record = <T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(fields, { noNullPrototype: true });
const kind = <const K extends string>(name: K) => fc.constant(name);

const anyCommand: fc.Arbitrary<TransparentCommand> = fc.oneof(
  record({ kind: kind('getMode') }),
  record({ kind: kind('setMode'), mode: u8, reportCards: fc.boolean() }),
  record({ kind: kind('sendApdu'), reader: u8, apdu: some }),
  record({ kind: kind('terminate'), reader: u8 }),
  record({ kind: kind('enterPin'), reader: u8, parameters: some }),
  record({ kind: kind('scan'), reader: u8 }),
);

const apdu = fc.uint8Array({ minLength: 2, maxLength: 60 });
const anyReply: fc.Arbitrary<TransparentReply> = fc.oneof(
  record({ kind: kind('error'), mode: fc.nat(1), error: u8 }),
  record({ kind: kind('mode'), mode: u8, reportCards: fc.boolean() }),
  record({ kind: kind('cardInfo'), reader: u8, protocol: u8, serial: some, protocolData: some }),
  record({ kind: kind('cardPresent'), reader: u8, status: fc.option(u8, { nil: undefined }) }),
  record({ kind: kind('apdu'), reader: u8, status: fc.constant(0), apdu }),
  record({ kind: kind('pinEntered'), reader: u8, status: u8, triesCount: u8 }),
);

t.test('every command of transparent mode decodes to what was encoded', async (t) => {
  checkProperty(
    fc.property(anyCommand, (value) => {
      assert.deepStrictEqual(decodeTransparentCommand(encodeTransparentCommand(value)), { ok: true, value });
    }),
  );
  t.pass();
});

for (const name of ['standard', 'osdp-net'] as const) {
  t.test(`every answer of transparent mode in the dialect ${name} decodes to what was encoded`, async (t) => {
    checkProperty(
      fc.property(anyReply, (value) => {
        assert.deepStrictEqual(decodeTransparentReply(encodeTransparentReply(value, DIALECTS[name])), {
          ok: true,
          value,
        });
      }),
    );
    t.pass();
  });
}

t.test('decoding transparent mode is total', async (t) => {
  checkProperty(
    fc.property(fc.nat(3), fc.nat(6), some, (mode, code, data) => {
      const command = decodeTransparentCommand({ mode, command: code, data });
      const reply = decodeTransparentReply({ mode, reply: code, data });
      for (const result of [command, reply]) {
        if (!result.ok) assert.match(result.error.code, /^ERR_OSDP_(LENGTH|VALUE)$/);
      }
    }),
    1000,
  );
  t.pass();
});

t.test("a card's answer stands where the dialect puts it", async (t) => {
  const answer = { kind: 'apdu', reader: 0, status: 0, apdu: Uint8Array.of(0x6a, 0x82) } as const;
  const wire = (dialect: keyof typeof DIALECTS) =>
    toHex(encodeReply(encodeTransparentReply(answer, DIALECTS[dialect])).payload);
  t.equal(wire('libosdp'), '010200006a82', 'as recorded from libosdp');
  t.equal(wire('osdp-net'), '0101006a82');
  t.same(decodeTransparentReply({ mode: 1, reply: 1, data: Uint8Array.of(0, 1) }), {
    ok: true,
    value: { kind: 'cardPresent', reader: 0, status: 1 },
  });
});

t.test('a serial number that no byte can count is refused', async (t) => {
  const [serial, protocolData] = [new Uint8Array(256), new Uint8Array()];
  t.throws(
    () => encodeTransparentReply({ kind: 'cardInfo', reader: 0, protocol: 1, serial, protocolData }, DIALECTS.standard),
    { code: 'ERR_OSDP_VALUE' },
  );
});

t.test('an extended ID keeps its texts, in any script, and firmware comes several times', async (t) => {
  const fields = [
    { tag: EXTENDED_ID_TAG.manufacturer, text: 'Schlüssel & Søn' },
    { tag: EXTENDED_ID_TAG.firmware, text: 'boot 1.0' },
    { tag: EXTENDED_ID_TAG.firmware, text: 'app 2.3.4' },
    { tag: 0x7f, text: '' },
  ];
  t.strictSame(decodeExtendedId(encodeExtendedId(fields)), { ok: true, value: fields });
  t.match(decodeExtendedId(Uint8Array.of(0, 5, 0, 0x41)), { ok: false, error: { code: 'ERR_OSDP_LENGTH' } });
});

t.test('a biometric template comes whole or in fragments, and a fragment that could be both is refused', async (t) => {
  const head = { name: 'BIOREADR', reader: 0, status: 0, type: 2, quality: 0xc0 } as const;
  const data = new Uint8Array(64);
  const whole = encodeReply({ ...head, totalSize: 64, offset: 0, data });
  t.equal(toHex(whole.payload.slice(0, 6)), '000002c04000', 'as recorded from libosdp');
  t.match(decodeReply(encodeReply({ ...head, totalSize: 200, offset: 64, data })), {
    value: { totalSize: 200, offset: 64 },
  });
  t.throws(() => encodeReply({ ...head, totalSize: 68, offset: 0, data }), { code: 'ERR_OSDP_VALUE' });
});
