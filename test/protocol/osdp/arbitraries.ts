import fc from 'fast-check';
import type { Command, Frame, Reply } from '@sparc/protocol/osdp';

/** Objects of the ordinary kind, as decoders make them. */
const record = <T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(fields, { noNullPrototype: true });

const u8 = fc.nat(0xff);
const u16 = fc.nat(0xffff);
const u32 = fc.nat(0xffffffff);
const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const some = fc.uint8Array({ maxLength: 64 });
const oui = bytes(3).map((value) => Buffer.from(value).toString('hex'));
const text = fc.string({
  unit: fc.integer({ min: 0x20, max: 0x7e }).map((c) => String.fromCharCode(c)),
  maxLength: 32,
});
const named = <N extends string, T extends object>(name: N, fields: fc.Arbitrary<T>) =>
  fields.map((value) => ({ name, ...value }));

const led = record({
  reader: u8,
  led: u8,
  temporary: record({ code: u8, onTicks: u8, offTicks: u8, onColor: u8, offColor: u8, timerTicks: u16 }),
  permanent: record({ code: u8, onTicks: u8, offTicks: u8, onColor: u8, offColor: u8 }),
});

const part = record({ totalSize: u16, offset: u16, data: some });
const authentication = fc
  .tuple(part, bytes(2))
  .chain(([fields, head]) => fc.constantFrom({ ...fields, head: new Uint8Array(0) }, { ...fields, offset: 0, head }));

type ByName<M extends { readonly name: string }> = { [N in M['name']]: fc.Arbitrary<Extract<M, { name: N }>> };

/** One arbitrary a message: a message without one does not compile. */
export const COMMANDS_BY_NAME: ByName<Command> = {
  POLL: fc.constant({ name: 'POLL' }),
  ID: named('ID', record({ type: u8 })),
  CAP: named('CAP', record({ type: u8 })),
  LSTAT: fc.constant({ name: 'LSTAT' }),
  ISTAT: fc.constant({ name: 'ISTAT' }),
  OSTAT: fc.constant({ name: 'OSTAT' }),
  RSTAT: fc.constant({ name: 'RSTAT' }),
  OUT: named('OUT', record({ records: fc.array(record({ output: u8, code: u8, timerTicks: u16 }), { minLength: 1 }) })),
  LED: named('LED', record({ records: fc.array(led, { minLength: 1 }) })),
  BUZ: named('BUZ', record({ reader: u8, tone: u8, onTicks: u8, offTicks: u8, count: u8 })),
  TEXT: named('TEXT', record({ reader: u8, command: u8, temporarySeconds: u8, row: u8, column: u8, text })),
  COMSET: named('COMSET', record({ address: u8, baudRate: u32 })),
  KEYSET: named('KEYSET', record({ keyType: fc.constant(1), key: bytes(16) })),
  CHLNG: named('CHLNG', record({ rndA: bytes(8) })),
  SCRYPT: named('SCRYPT', record({ serverCryptogram: bytes(16) })),
  MFG: named('MFG', record({ vendor: oui, data: some })),
  TDSET: named('TDSET', record({ year: u16, month: u8, day: u8, hour: u8, minute: u8, second: u8 })),
  BIOREAD: named('BIOREAD', record({ reader: u8, type: u8, format: u8, quality: u8 })),
  BIOMATCH: named('BIOMATCH', record({ reader: u8, type: u8, format: u8, quality: u8, template: some })),
  ACURXSIZE: named('ACURXSIZE', record({ size: u16 })),
  FILETRANSFER: named('FILETRANSFER', record({ type: u8, totalSize: u32, offset: u32, data: some })),
  XWR: named('XWR', record({ mode: u8, command: u8, data: some })),
  ABORT: fc.constant({ name: 'ABORT' }),
  PIVDATA: named(
    'PIVDATA',
    fc.oneof(
      record({ objectId: oui, element: u8, offset: u8, offsetSize: fc.constant(1) }),
      record({ objectId: oui, element: u8, offset: u16, offsetSize: fc.constant(2) }),
    ),
  ),
  GENAUTH: named('GENAUTH', authentication),
  CRAUTH: named('CRAUTH', authentication),
  KEEPACTIVE: named('KEEPACTIVE', record({ durationMs: u16 })),
};

const states = fc.array(u8, { maxLength: 40 });

export const REPLIES_BY_NAME: ByName<Reply> = {
  ACK: fc.constant({ name: 'ACK' }),
  NAK: named('NAK', record({ error: u8, details: some })),
  PDID: named(
    'PDID',
    record({
      vendor: oui,
      model: u8,
      version: u8,
      serial: u32,
      firmware: record({ major: u8, minor: u8, build: u8 }),
    }),
  ),
  PDCAP: named(
    'PDCAP',
    record({ capabilities: fc.array(record({ function: u8, compliance: u8, count: u8 }), { maxLength: 30 }) }),
  ),
  LSTATR: named('LSTATR', record({ tampered: fc.boolean(), powerFailed: fc.boolean() })),
  ISTATR: named('ISTATR', record({ inputs: states })),
  OSTATR: named('OSTATR', record({ outputs: states })),
  RSTATR: named('RSTATR', record({ readers: states })),
  RAW: named(
    'RAW',
    fc
      .tuple(u8, u8, fc.nat(1024))
      .chain(([reader, format, bitCount]) =>
        bytes(Math.ceil(bitCount / 8)).map((bits) => ({ reader, format, bitCount, bits })),
      ),
  ),
  FMT: named('FMT', record({ reader: u8, direction: u8, characters: some })),
  KEYPAD: named('KEYPAD', record({ reader: u8, keys: some })),
  COM: named('COM', record({ address: u8, baudRate: u32 })),
  CCRYPT: named('CCRYPT', record({ cUID: bytes(8), rndB: bytes(8), clientCryptogram: bytes(16) })),
  RMAC_I: named('RMAC_I', record({ rMac: bytes(16) })),
  BUSY: fc.constant({ name: 'BUSY' }),
  MFGREP: named('MFGREP', record({ vendor: oui, data: some })),
  BIOREADR: named(
    'BIOREADR',
    record({ reader: u8, status: u8, type: u8, quality: u8, totalSize: u16, offset: u16, data: some }).filter(
      // A fragment of exactly this size cannot be told from a whole template; encoding refuses it.
      ({ totalSize, data }) => totalSize !== data.length + 4,
    ),
  ),
  BIOMATCHR: named('BIOMATCHR', record({ reader: u8, status: u8, score: u8 })),
  EXT_PDID: named('EXT_PDID', part),
  FTSTAT: named(
    'FTSTAT',
    record({ action: u8, delayMs: u16, status: fc.integer({ min: -0x8000, max: 0x7fff }), messageSizeMax: u16 }),
  ),
  PIVDATAR: named('PIVDATAR', part),
  GENAUTHR: named('GENAUTHR', part),
  CRAUTHR: named('CRAUTHR', part),
  MFGSTATR: named('MFGSTATR', record({ data: some })),
  MFGERRR: named('MFGERRR', record({ data: some })),
  XRD: named('XRD', record({ mode: u8, reply: u8, data: some })),
};

export const anyCommand: fc.Arbitrary<Command> = fc.oneof(...Object.values(COMMANDS_BY_NAME));
export const anyReply: fc.Arbitrary<Reply> = fc.oneof(...Object.values(REPLIES_BY_NAME));

/** A frame without MAC, with or without a security block of the handshake. */
export const anyFrame: fc.Arbitrary<Frame> = record({
  address: fc.nat(0x7f),
  reply: fc.boolean(),
  sequence: fc.constantFrom(0, 1, 2, 3),
  check: fc.constantFrom('crc', 'checksum'),
  code: u8,
  payload: fc.uint8Array({ maxLength: 200 }),
  block: fc.option(record({ type: fc.constantFrom(0x11, 0x12, 0x13, 0x14), data: bytes(1) }), { nil: undefined }),
}).map(({ block, ...frame }) => ({ ...frame, ...(block === undefined ? {} : { securityBlock: block }) }));
