import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import {
  assemble,
  type Assembly,
  assembleAuthentication,
  type AuthenticationAssembly,
  authenticationCommands,
  COMBINED_SIZE_MAX,
  decodeCommand,
  deriveSessionKeys,
  DIALECTS,
  encodeCommand,
  encodeFrame,
  fragmentSize,
  payloadSizeMax,
  seal,
  splitMessage,
} from '@sparc/protocol/osdp';
import { checkProperty } from '../../support/property.js';
import { fromHex, toHex } from './osdp-vectors.js';

const message = (size: number) => Uint8Array.from({ length: size }, (_, index) => index * 7);
const part = (totalSize: number, offset: number, size: number) => ({
  totalSize,
  offset,
  data: message(totalSize).slice(offset, offset + size),
});

/** The results of feeding fragments, one each millisecond. */
function assembled(...parts: ReturnType<typeof part>[]) {
  let state: Assembly | undefined;
  return parts.map((fragment, nowMs) => {
    const step = assemble(state, fragment, nowMs);
    state = step.state;
    return step.result;
  });
}

t.test('whatever is split in order comes together as it was', async (t) => {
  checkProperty(
    fc.property(fc.uint8Array({ maxLength: 2_000 }), fc.integer({ min: 1, max: 300 }), (data, size) => {
      const parts = splitMessage(data, size);
      let state: Assembly | undefined;
      const results = parts.map((fragment, index) => {
        assert.ok(fragment.data.length <= size);
        const step = assemble(state, fragment, index * 50);
        state = step.state;
        return step.result;
      });
      assert.deepStrictEqual(results.at(-1), { kind: 'complete', data });
      assert.ok(results.slice(0, -1).every(({ kind }) => kind === 'waiting'));
      assert.equal(state, undefined);
    }),
  );
  t.pass();
});

t.test('no sequence of fragments makes a message of other bytes than those that came', async (t) => {
  const anyPart = fc.record({ offset: fc.constantFrom(0, 4, 8, 12), size: fc.constantFrom(0, 4, 8) });
  checkProperty(
    fc.property(fc.array(anyPart, { maxLength: 12 }), (parts) => {
      const results = assembled(...parts.map(({ offset, size }) => part(12, offset, size)));
      for (const result of results) {
        if (result.kind === 'complete') assert.deepStrictEqual(result.data, message(12));
      }
    }),
    500,
  );
  t.pass();
});

t.test(
  'a gap, an overlap, a part beyond the end and a changed total are refused, and drop what was there',
  async (t) => {
    const kinds = (...parts: ReturnType<typeof part>[]) => assembled(...parts).map(({ kind }) => kind);
    t.strictSame(kinds(part(30, 0, 10), part(30, 20, 10), part(30, 10, 10)), ['waiting', 'refused', 'refused'], 'gap');
    t.strictSame(
      kinds(part(30, 0, 10), part(30, 5, 10), part(30, 10, 10)),
      ['waiting', 'refused', 'refused'],
      'overlap',
    );
    t.strictSame(kinds(part(30, 0, 10), { ...part(30, 10, 10), totalSize: 31 }), ['waiting', 'refused'], 'total');
    t.strictSame(kinds({ totalSize: 5, offset: 0, data: message(6) }), ['refused'], 'beyond the end');
    t.strictSame(kinds(part(30, 10, 10)), ['refused'], 'no beginning');
    t.strictSame(kinds(part(30, 0, 10), part(30, 10, 0)), ['waiting', 'refused'], 'empty in the middle');
  },
);

t.test('offset 0 begins anew, and an empty part at the end gives the message up', async (t) => {
  t.strictSame(
    assembled(part(30, 0, 10), part(20, 0, 10), part(20, 10, 10)).map(({ kind }) => kind),
    ['waiting', 'waiting', 'complete'],
  );
  const abort = { totalSize: 30, offset: 30, data: new Uint8Array() };
  t.strictSame(
    assembled(part(30, 0, 10), abort, part(30, 10, 20)).map(({ kind }) => kind),
    ['waiting', 'aborted', 'refused'],
  );
});

t.test('a message is dropped 8 s after its last fragment, and one that is too long at its first', async (t) => {
  const { state } = assemble(undefined, part(30, 0, 10), 0);
  t.equal(assemble(state, part(30, 10, 10), 8_000).result.kind, 'waiting');
  t.equal(assemble(state, part(30, 10, 10), 8_001).result.kind, 'refused');
  t.equal(assemble(undefined, part(COMBINED_SIZE_MAX, 0, 10), 0).result.kind, 'waiting');
  t.equal(assemble(undefined, { ...part(30, 0, 10), totalSize: COMBINED_SIZE_MAX + 1 }, 0).result.kind, 'refused');
  t.equal(assemble(undefined, part(30, 0, 10), 0, 29).result.kind, 'refused');
});

t.test('a payload of the greatest size fits its frame, and one byte more does not', async (t) => {
  const session = { keys: deriveSessionKeys(message(16), message(8)), chain: message(16) };
  const frame = (size: number) =>
    ({ address: 1, reply: false, sequence: 1, check: 'crc', code: 0x7c, payload: message(size) }) as const;
  for (const receiveSize of [128, 129, 256, 512, 1024, 1440]) {
    const [clear, secure] = [payloadSizeMax(receiveSize, false), payloadSizeMax(receiveSize, true)];
    t.equal(encodeFrame(frame(clear)).length, receiveSize);
    t.ok(seal(session, frame(secure)).bytes.length <= receiveSize);
    t.ok(seal(session, frame(secure)).bytes.length > receiveSize - 16, 'no whole block is left');
    if (receiveSize < 1440) t.ok(seal(session, frame(secure + 1)).bytes.length > receiveSize);
    t.equal(fragmentSize(receiveSize, true), secure - 11);
  }
  t.equal(payloadSizeMax(65_535, false), payloadSizeMax(1440, false), 'no frame is longer than 1440 bytes');
});

for (const [name, dialect] of Object.entries({ counted: DIALECTS.standard, uncounted: DIALECTS.libosdp })) {
  t.test(`a request for authentication whose head is ${name} is understood`, async (t) => {
    checkProperty(
      fc.property(fc.uint8Array({ maxLength: 600 }), fc.integer({ min: 20, max: 120 }), (data, size) => {
        const request = { algorithm: 0x11, keyReference: 0x9e, data };
        let state: AuthenticationAssembly | undefined;
        const results = authenticationCommands('GENAUTH', request, size, dialect).map((command, index) => {
          const encoded = encodeCommand(command);
          assert.ok(encoded.payload.length <= size);
          const decoded = decodeCommand(encoded);
          assert.ok(decoded.ok && decoded.value.name === 'GENAUTH');
          const step = assembleAuthentication(state, decoded.value, index);
          state = step.state;
          return step.result;
        });
        assert.deepStrictEqual(results.at(-1), { kind: 'complete', request });
      }),
    );
    t.pass();
  });
}

t.test('the recorded GENAUTH of libosdp is what its dialect writes', async (t) => {
  const data = Uint8Array.from({ length: 16 }, (_, index) => index);
  const [command] = authenticationCommands(
    'GENAUTH',
    { algorithm: 7, keyReference: 0x9e, data },
    200,
    DIALECTS.libosdp,
  );
  if (command === undefined) throw new Error('no command');
  t.equal(toHex(encodeCommand(command).payload), '100000001000079e000102030405060708090a0b0c0d0e0f');
});

t.test('a request without algorithm and key reference is refused', async (t) => {
  const decoded = decodeCommand({ code: 0xa4, payload: fromHex('010000000100aa') });
  if (!decoded.ok || decoded.value.name !== 'GENAUTH') throw new Error('not decoded');
  t.match(assembleAuthentication(undefined, decoded.value, 0).result, {
    kind: 'refused',
    error: { code: 'ERR_OSDP_LENGTH' },
  });
});
