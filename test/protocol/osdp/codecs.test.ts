import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import {
  type Command,
  CodecError,
  COMMANDS,
  decodeCommand,
  decodeFrame,
  decodeReply,
  describeCommand,
  describeReply,
  encodeCommand,
  encodeFrame,
  encodeReply,
  keypadText,
  receiveSize,
  REPLIES,
} from '@sparc/protocol/osdp';
import { checkProperty } from '../../support/property.js';
import { anyCommand, anyFrame, type anyReply, COMMANDS_BY_NAME, REPLIES_BY_NAME } from './arbitraries.js';

for (const [name, values] of Object.entries(COMMANDS_BY_NAME)) {
  t.test(`every ${name} command decodes to what was encoded`, async (t) => {
    checkProperty(
      fc.property(values as fc.Arbitrary<Command>, (value) => {
        const decoded = decodeCommand(encodeCommand(value));
        assert.deepStrictEqual(decoded, { ok: true, value });
      }),
      50,
    );
    t.pass();
  });
}

for (const [name, values] of Object.entries(REPLIES_BY_NAME)) {
  t.test(`every ${name} reply decodes to what was encoded`, async (t) => {
    checkProperty(
      fc.property(values as typeof anyReply, (value) => {
        const decoded = decodeReply(encodeReply(value));
        assert.deepStrictEqual(decoded, { ok: true, value });
      }),
      50,
    );
    t.pass();
  });
}

t.test('decoding a payload is total, and what it accepts is encoded to a payload of the same meaning', async (t) => {
  const codes = fc.oneof(fc.constantFrom(...[...COMMANDS, ...REPLIES].map(({ code }) => code)), fc.nat(0xff));
  checkProperty(
    fc.property(codes, fc.uint8Array({ maxLength: 64 }), (code, payload) => {
      const command = decodeCommand({ code, payload });
      const reply = decodeReply({ code, payload });
      if (command.ok) assert.deepStrictEqual(decodeCommand(encodeCommand(command.value)), command);
      if (reply.ok) assert.deepStrictEqual(decodeReply(encodeReply(reply.value)), reply);
    }),
    1000,
  );
  t.pass();
});

t.test('every frame decodes to what was encoded', async (t) => {
  checkProperty(
    fc.property(anyFrame, (frame) => {
      assert.deepStrictEqual(decodeFrame(encodeFrame(frame)), { ok: true, value: frame });
    }),
  );
  t.pass();
});

t.test('one flipped bit makes a frame unreadable', async (t) => {
  checkProperty(
    fc.property(
      anyFrame.filter(({ check }) => check === 'crc'),
      fc.nat(),
      (frame, place) => {
        const bytes = encodeFrame(frame);
        const bit = place % (bytes.length * 8);
        bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        return !decodeFrame(bytes).ok;
      },
    ),
  );
  t.pass();
});

t.test('encoding refuses what is out of range, and names the field', async (t) => {
  const refused = (command: Command, message: RegExp) =>
    t.throws(() => encodeCommand(command), { code: 'ERR_OSDP_VALUE', message }, command.name);
  refused({ name: 'OUT', records: [] }, /records/);
  refused({ name: 'OUT', records: [{ output: 256, code: 1, timerTicks: 0 }] }, /records.*output/);
  refused({ name: 'OUT', records: [{ output: 1, code: 5, timerTicks: 65_536 }] }, /timerTicks/);
  refused({ name: 'OUT', records: [{ output: 1, code: 5, timerTicks: 1.5 }] }, /timerTicks/);
  refused({ name: 'KEYSET', keyType: 1, key: new Uint8Array(15) }, /16 bytes/);
  refused({ name: 'CHLNG', rndA: new Uint8Array(7) }, /rndA/);
  refused({ name: 'MFG', vendor: 'xyz', data: new Uint8Array(0) }, /vendor/);
  const text = { name: 'TEXT', reader: 0, command: 1, temporarySeconds: 0, row: 1, column: 1 } as const;
  refused({ ...text, text: 'ü' }, /text/);
  refused({ ...text, text: 'x'.repeat(256) }, /text/);
});

t.test('encoding refuses a frame that is too long, and an address that does not exist', async (t) => {
  const frame = { reply: false, sequence: 0, check: 'crc', code: 0x80 } as const;
  t.throws(() => encodeFrame({ ...frame, address: 0, payload: new Uint8Array(1433) }), CodecError);
  t.throws(() => encodeFrame({ ...frame, address: 0x80, payload: new Uint8Array(0) }), { code: 'ERR_OSDP_VALUE' });
  t.ok(decodeFrame(encodeFrame({ ...frame, address: 0x7f, payload: new Uint8Array(1432) })).ok);
});

t.test('a payload that is too short or too long is told from a bad value and from an unknown code', async (t) => {
  const code = (result: ReturnType<typeof decodeCommand>) => (result.ok ? 'ok' : result.error.code);
  t.equal(code(decodeCommand({ code: 0x6e, payload: new Uint8Array(4) })), 'ERR_OSDP_LENGTH');
  t.equal(code(decodeCommand({ code: 0x60, payload: new Uint8Array(1) })), 'ERR_OSDP_LENGTH');
  t.equal(code(decodeCommand({ code: 0x75, payload: Uint8Array.of(2, 1, 0) })), 'ERR_OSDP_VALUE');
  t.equal(code(decodeCommand({ code: 0x63, payload: new Uint8Array(0) })), 'ERR_OSDP_CODE_UNKNOWN');
});

t.test('text for logs masks keys, PINs and card numbers, and shows the rest', async (t) => {
  const key = Uint8Array.from({ length: 16 }, (_, index) => 0xa0 + index);
  t.equal(describeCommand({ name: 'KEYSET', keyType: 1, key }), 'KEYSET {keyType=1 key=***}');
  const raw = { name: 'RAW', reader: 0, format: 1, bitCount: 26, bits: Uint8Array.of(1, 2, 3, 64) } as const;
  t.equal(describeReply(raw), 'RAW {reader=0 format=1 bitCount=26 bits=***}');
  t.equal(describeReply({ name: 'KEYPAD', reader: 0, keys: Uint8Array.of(0x31) }), 'KEYPAD {reader=0 keys=***}');
  const credential = { name: 'MFGREP', vendor: '1a9021', data: Uint8Array.of(0xe2, 1, 2) } as const;
  t.equal(describeReply(credential), 'MFGREP {vendor=1a9021 data=***}');
  t.equal(
    describeCommand({ name: 'OUT', records: [{ output: 0, code: 5, timerTicks: 30 }] }),
    'OUT {records=[{output=0 code=5 timerTicks=30}]}',
  );
  checkProperty(fc.property(anyCommand, (command) => describeCommand(command).startsWith(command.name)));
});

t.test('codes and names are unique in each direction', async (t) => {
  for (const registry of [COMMANDS, REPLIES]) {
    t.equal(new Set(registry.map(({ code }) => code)).size, registry.length);
    t.equal(new Set(registry.map(({ name }) => name)).size, registry.length);
  }
});

t.test('keypad digits are read in every way that readers send them', async (t) => {
  t.equal(keypadText(Uint8Array.of(0x31, 0x32, 0x7f, 0x0d)), '12*#');
  t.equal(keypadText(Uint8Array.of(0x2a, 0x23, 0x00, 0x09)), '*#09');
  t.equal(keypadText(Uint8Array.of(0xff, 0x41)), '');
});

t.test('the receive size comes from PDCAP 10 and is never below 128', async (t) => {
  t.equal(receiveSize([]), 128);
  t.equal(receiveSize([{ function: 10, compliance: 0x10, count: 0 }]), 128);
  t.equal(
    receiveSize([
      { function: 99, compliance: 1, count: 1 },
      { function: 10, compliance: 0xa0, count: 5 },
    ]),
    1440,
  );
});
