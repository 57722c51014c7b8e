import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { isSparcError } from '@sparc/protocol/errors';
import { EVENTS, REASONS } from '@sparc/protocol/events';
import {
  Batch,
  bytes,
  decodeEvent,
  encodeEvent,
  EntryContent,
  EpochBody,
  isKnownRecord,
  list,
  message,
  oneOf,
  optional,
  required,
  SignedHead,
  text,
  uint,
  type StoredRecord,
} from '@sparc/protocol/ledger';
import { DOOR_MODES } from '@sparc/protocol/policy';
import { TIME_QUALITIES } from '@sparc/protocol/ports';
import { checkProperty } from '../../support/property.js';

const id = fc.stringMatching(/^[a-z0-9._-]{1,64}$/);
const reason = fc.constantFrom(...REASONS);
const reasons = fc.array(reason, { minLength: 1, maxLength: 8 });
const unixMs = fc.integer({ min: 0, max: 2 ** 48 - 1 });
const bytesOf = (minLength: number, maxLength = minLength) => fc.uint8Array({ minLength, maxLength });

const card = fc.record(
  {
    bitCount: fc.integer({ min: 0, max: 512 }),
    bits: bytesOf(0, 64),
    formatId: id,
    facility: fc.maxSafeNat(),
    cardNumber: fc.stringMatching(/^\d{1,155}$/),
  },
  { requiredKeys: ['bitCount', 'bits'] },
);
const inputs = fc.record(
  {
    atUnixMs: unixMs,
    timeQuality: fc.constantFrom(...TIME_QUALITIES),
    policyRevision: id,
    direction: fc.constantFrom('entry' as const, 'exit' as const),
    linkSecure: fc.boolean(),
    linkTampered: fc.boolean(),
    readAgeMs: fc.double({ noNaN: true }),
    pin: fc.constantFrom('none' as const, 'right' as const, 'wrong' as const),
    lockedOut: fc.boolean(),
    doorMode: fc.constantFrom(...DOOR_MODES.filter((mode) => mode !== 'accessed')),
    interlockBusy: fc.boolean(),
    pinAlone: fc.record({ credentialId: id }, { requiredKeys: [] }),
    location: fc.record({ areaId: fc.constant('hall'), certain: fc.boolean() }, { requiredKeys: ['certain'] }),
    sinceHereMs: fc.nat(),
    occupancy: fc.array(fc.record({ areaId: fc.constantFrom('hall', 'house'), others: fc.nat() }), {
      minLength: 1,
      maxLength: 16,
    }),
    pendingElsewhere: fc.boolean(),
  },
  {
    requiredKeys: [
      'atUnixMs',
      'timeQuality',
      'policyRevision',
      'direction',
      'linkSecure',
      'linkTampered',
      'readAgeMs',
      'pin',
      'lockedOut',
    ],
  },
);
const causeId = fc.record({
  author: fc.stringMatching(/^[0-9a-f]{64}$/),
  epoch: fc.nat(2 ** 31 - 1),
  sequence: fc.maxSafeNat(),
});
const record: fc.Arbitrary<StoredRecord> = fc.record(
  {
    name: fc.constantFrom(...Object.keys(EVENTS)),
    accessPointId: id,
    doorId: id,
    deviceId: id,
    busId: id,
    credentialId: id,
    holderId: id,
    reason,
    alsoFailed: reasons,
    flags: reasons,
    card,
    inputs,
    causeId,
    code: id,
    detail: fc.dictionary(id, fc.string({ unit: 'binary', maxLength: 200 }), {
      minKeys: 1,
      maxKeys: 32,
      noNullPrototype: true,
    }),
  },
  { requiredKeys: ['name'] },
);

const malformed = (run: () => unknown) => {
  try {
    run();
    return false;
  } catch (error) {
    return isSparcError(error, 'ERR_LEDGER_MALFORMED');
  }
};

t.test('every event record comes back as it was, and has one encoding', async (t) => {
  checkProperty(
    fc.property(record, (value) => {
      const encoded = encodeEvent(value);
      const decoded = decodeEvent(encoded);
      // fast-check makes objects without a prototype.
      assert.deepStrictEqual(decoded, structuredClone(value));
      assert.deepStrictEqual(encodeEvent(decoded), encoded);
    }),
    500,
  );
  t.pass();
});

t.test('decoding any bytes gives a value or ERR_LEDGER_MALFORMED', async (t) => {
  const decoders = [
    decodeEvent,
    (bytes: Uint8Array) => EntryContent.decode(bytes),
    (bytes: Uint8Array) => EpochBody.decode(bytes),
    (bytes: Uint8Array) => SignedHead.decode(bytes),
    (bytes: Uint8Array) => Batch.decode(bytes),
  ];
  const damaged = fc.tuple(record, fc.nat(), fc.nat(255), fc.nat()).map(([value, at, byte, length]) => {
    const encoded = encodeEvent(value);
    encoded[at % encoded.length] = byte;
    return encoded.subarray(0, length % (encoded.length + 1));
  });
  checkProperty(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), damaged), (bytes) => {
      for (const decode of decoders) {
        try {
          decode(bytes);
        } catch (error) {
          if (!isSparcError(error, 'ERR_LEDGER_MALFORMED')) throw error;
        }
      }
    }),
    2_000,
  );
  t.pass();
});

t.test('an event of a newer version keeps its name and reasons, and is known as unknown', async (t) => {
  const newer: StoredRecord = { name: 'access.levitated', reason: 'gravity_off', flags: ['moon'] };
  t.same(decodeEvent(encodeEvent(newer)), newer);
  t.notOk(isKnownRecord(newer));
  for (const name of ['constructor', 'toString', '__proto__']) t.notOk(isKnownRecord({ name }), name);
  t.notOk(isKnownRecord({ name: 'access.denied', reason: 'gravity_off' }));
  t.ok(isKnownRecord({ name: 'access.denied', reason: 'no_right' }));
});

t.test('fields that a schema does not know are skipped', async (t) => {
  const newer = message({ name: required(1, text(64)), colour: required(40, text(9)), depth: required(41, uint()) });
  t.same(decodeEvent(newer.encode({ name: 'door.opened', colour: 'red', depth: 2 ** 40 })), { name: 'door.opened' });
});

t.test('encoding refuses what is out of range', async (t) => {
  const refused: StoredRecord[] = [
    { name: 'x'.repeat(65) },
    { name: 'door.opened', accessPointId: 'é'.repeat(65) },
    { name: 'door.opened', detail: { a: '\ud800' } },
    { name: 'door.opened', detail: { a: 'x'.repeat(2_049) } },
    { name: 'directive.given', directive: new Uint8Array(8_449) },
    { name: 'door.opened', detail: Object.fromEntries(Array.from({ length: 33 }, (_, n) => [`k${n}`, ''])) },
    { name: 'door.opened', causeId: { author: 'AB'.repeat(32), epoch: 1, sequence: 1 } },
    { name: 'door.opened', causeId: { author: 'ab'.repeat(31), epoch: 1, sequence: 1 } },
    { name: 'door.opened', causeId: { author: 'ab'.repeat(32), epoch: 2 ** 32, sequence: 1 } },
    { name: 'door.opened', causeId: { author: 'ab'.repeat(32), epoch: 1.5, sequence: 1 } },
    { name: 'door.opened', card: { bitCount: 513, bits: new Uint8Array(64) } },
    { name: 'door.opened', card: { bitCount: 26, bits: new Uint8Array(65) } },
  ];
  for (const value of refused)
    t.ok(
      malformed(() => encodeEvent(value)),
      JSON.stringify(value).slice(0, 60),
    );
});

t.test('decoding refuses a second way to write a value', async (t) => {
  const Pair = message({ a: required(1, uint(9)), b: optional(2, oneOf(['x', 'y'])), c: list(3, bytes(1, 2), 2) });
  t.same(Pair.decode(Pair.encode({ a: 5, b: 'y', c: [] })), { a: 5, b: 'y', c: [] });
  for (const [bytes, why] of [
    ['', 'a required field is missing'],
    ['0805' + '0805', 'a field twice'],
    ['1000' + '0805', 'fields out of order'],
    ['080a', 'a number above its bound'],
    ['0805' + '1002', 'a word that is not in the vocabulary'],
    ['0a0105', 'another wire type'],
    ['0805' + '1a00', 'bytes too short'],
    ['0805' + '1a03010203', 'bytes too long'],
    ['0805' + '1a0101'.repeat(3), 'too many in a list'],
    ['0805' + '1a0501', 'a length beyond the end'],
    ['08ffffffffffffffffff01', 'a number of 64 bits'],
    ['0805' + '2b2c', 'a group, which is none of ours'],
  ] as const) {
    t.ok(
      malformed(() => Pair.decode(Buffer.from(bytes, 'hex'))),
      why,
    );
  }
});

t.test('the clock of an entry survives at both ends of its range', async (t) => {
  for (const hlc of [
    { unixMs: 0, counter: 0 },
    { unixMs: 2 ** 48 - 1, counter: 65_535 },
    { unixMs: 1_767_600_000_123, counter: 7 },
  ]) {
    const content = { kind: 'event', hlc, wallUnixMs: 1, timeQuality: 'synced' as const, body: Uint8Array.of() };
    t.same(EntryContent.decode(EntryContent.encode(content)).hlc, hlc);
  }
});

t.test('a lockdown that an earlier version recorded is read in the terms of ONVIF', async (t) => {
  const recorded =
    '0a0d6163636573732e64656e69656442086c6f636b646f776e6223' +
    '0880d8c1a28c3410001a03312d61200028013000390000000000003440400048005001';
  const record = decodeEvent(Buffer.from(recorded, 'hex'));
  t.match(record, { name: 'access.denied', reason: 'lockdown', inputs: { doorMode: 'lockedDown' } });
});
