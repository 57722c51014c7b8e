import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import {
  authenticationCommands,
  BIOMETRIC_TYPE,
  CAPABILITY,
  type Command,
  decodeExtendedId,
  DIALECTS,
  encodeTransparentCommand,
  type PdEvent,
  type PdOptions,
  type Reply,
  type Sequence,
  type TransparentCommand,
} from '@sparc/protocol/osdp';
import { checkProperty } from '../../support/property.js';
import { anyCommand } from './arbitraries.js';
import { commandFrame, PdBench, readReply } from './pd-bench.js';

const capability = (code: number, compliance = 1, count = 0) => ({ function: code, compliance, count });
const EQUIPPED: Partial<PdOptions> = {
  capabilities: [
    capability(CAPABILITY.timeKeeping),
    capability(CAPABILITY.receiveSize, 0xa0, 5),
    capability(CAPABILITY.smartCard, 3),
    capability(CAPABILITY.biometrics, 1, 1),
    capability(CAPABILITY.extendedId),
  ],
  manufacturerVendors: ['2c1b0a'],
  file: { sizeMax: 1_000 },
};
const message = (size: number) => Uint8Array.from({ length: size }, (_, index) => index * 3);

/** A PD with all its hardware, asked in sequence. */
class Bench extends PdBench {
  #sequence: Sequence = 3;

  constructor(options: Partial<PdOptions> = {}) {
    super({ ...EQUIPPED, ...options });
    this.ask(0, { name: 'ID', type: 0 });
  }

  tell(command: Command): Reply {
    this.#sequence = ((this.#sequence % 3) + 1) as Sequence;
    return this.ask(this.#sequence, command).reply;
  }

  poll(): Reply {
    return this.tell({ name: 'POLL' });
  }

  /** Polls until there is no more to say. */
  polled(): Reply[] {
    const replies: Reply[] = [];
    for (let reply = this.poll(); reply.name !== 'ACK'; reply = this.poll()) replies.push(reply);
    return replies;
  }
}

const ALL_OPTIONAL: Command[] = [
  { name: 'TDSET', year: 2026, month: 11, day: 21, hour: 8, minute: 30, second: 15 },
  { name: 'BIOREAD', reader: 0, type: 2, format: 2, quality: 0x80 },
  { name: 'BIOMATCH', reader: 0, type: 2, format: 2, quality: 0x80, template: message(10) },
  { name: 'FILETRANSFER', type: 1, totalSize: 10, offset: 0, data: message(10) },
  { name: 'MFG', vendor: '2c1b0a', data: message(4) },
  { name: 'PIVDATA', objectId: '5fc102', element: 0, offset: 0, offsetSize: 2 },
  { name: 'GENAUTH', totalSize: 2, offset: 0, head: message(0), data: message(2) },
  { name: 'CRAUTH', totalSize: 2, offset: 0, head: message(0), data: message(2) },
  { name: 'XWR', mode: 0, command: 1, data: message(0) },
  { name: 'KEEPACTIVE', durationMs: 500 },
];

t.test('a PD without the hardware does not know its commands, and one with it does', async (t) => {
  const bare = new PdBench({ capabilities: [] });
  for (const command of ALL_OPTIONAL) {
    t.match(bare.ask(0, command).reply, { name: 'NAK', error: 3 }, `${command.name} without`);
    t.not(new Bench().tell(command).name, 'NAK', `${command.name} with`);
  }
});

t.test('what the hardware is to do is an effect, and ACK answers at once', async (t) => {
  const bench = new Bench();
  for (const command of ALL_OPTIONAL) {
    if (command.name !== 'FILETRANSFER' && command.name !== 'XWR') t.match(bench.tell(command), { name: 'ACK' });
  }
  t.match(bench.of('timeSet'), [{ year: 2026, month: 11, day: 21, hour: 8, minute: 30, second: 15 }]);
  t.match(
    bench.of('biometricRequest').map(({ command }) => command.name),
    ['BIOREAD', 'BIOMATCH'],
  );
  t.match(bench.of('manufacturer'), [{ vendor: '2c1b0a', data: message(4) }]);
  t.match(bench.of('pivDataRequest'), [{ objectId: '5fc102', element: 0, offset: 0 }]);
  t.match(bench.of('authenticate'), [{ name: 'GENAUTH' }, { name: 'CRAUTH' }]);
  t.match(bench.of('keepActive'), [{ durationMs: 500 }]);
});

t.test('a sensor is asked for what it can see', async (t) => {
  const finger = new Bench();
  const read = (bench: Bench, type: number, format = 0, reader = 0) =>
    bench.tell({ name: 'BIOREAD', reader, type, format, quality: 1 });
  t.match(read(finger, BIOMETRIC_TYPE.leftIris), { name: 'NAK', error: 7 });
  t.match(read(finger, BIOMETRIC_TYPE.leftThumb, 9), { name: 'NAK', error: 8 });
  t.match(read(finger, BIOMETRIC_TYPE.leftThumb, 1, 4), { name: 'NAK', error: 9 });
  const iris = new Bench({ capabilities: [capability(CAPABILITY.biometrics, 3, 1)] });
  t.match(read(iris, BIOMETRIC_TYPE.leftIris), { name: 'ACK' });
  t.match(read(iris, BIOMETRIC_TYPE.leftThumb), { name: 'NAK', error: 7 });
  t.match(read(iris, BIOMETRIC_TYPE.leftIris, 2), { name: 'NAK', error: 8 });
  t.match(read(iris, BIOMETRIC_TYPE.unspecified), { name: 'ACK' });
});

t.test('answers of the hardware are reported, one a poll', async (t) => {
  const bench = new Bench();
  bench.event({ kind: 'biometricMatch', reader: 0, status: 0, score: 0xe1 });
  bench.event({ kind: 'manufacturer', vendor: '2c1b0a', data: message(4) });
  bench.event({ kind: 'manufacturerStatus', data: message(1) });
  bench.event({ kind: 'manufacturerError', data: message(1) });
  bench.event({ kind: 'characters', reader: 0, forward: false, characters: message(3) });
  bench.event({ kind: 'smartCard', reply: { kind: 'cardPresent', reader: 0, status: 2 } });
  bench.event({ kind: 'pivData', data: message(20) });
  t.strictSame(
    bench.polled().map(({ name }) => name),
    ['BIOMATCHR', 'MFGREP', 'MFGSTATR', 'MFGERRR', 'FMT', 'XRD', 'PIVDATAR'],
  );
});

t.test('a long answer leaves in fragments that fit, with nothing in between', async (t) => {
  const bench = new Bench();
  bench.event({ kind: 'pivData', data: message(400) });
  bench.event({ kind: 'keypad', reader: 0, keys: Uint8Array.of(0x31) });
  const replies = bench.polled();
  const parts = replies.flatMap((reply) => (reply.name === 'PIVDATAR' ? [reply] : []));
  t.strictSame(
    parts.map(({ offset, data }) => [offset, data.length]),
    [0, 114, 228, 342].map((offset) => [offset, Math.min(114, 400 - offset)]),
    '128 bytes, while the ACU has not said more',
  );
  t.strictSame(Uint8Array.from(parts.flatMap(({ data }) => [...data])), message(400));
  t.equal(replies.at(-1)?.name, 'KEYPAD');
});

t.test('ACURXSIZE makes fragments longer, and forbids replies that are longer', async (t) => {
  const bench = new Bench();
  t.match(bench.tell({ name: 'ACURXSIZE', size: 127 }), { name: 'NAK', error: 9 }, 'every ACU takes 128 bytes');
  t.match(bench.tell({ name: 'ACURXSIZE', size: 512 }), { name: 'ACK' });
  bench.event({ kind: 'pivData', data: message(400) });
  t.equal(bench.polled().length, 1);
  const raw = { kind: 'card', reader: 0, format: 0, bitCount: 1_000, bits: message(125) } as const;
  bench.event(raw);
  t.match(bench.poll(), { name: 'RAW' });
  bench.tell({ name: 'ACURXSIZE', size: 128 });
  bench.event(raw);
  t.match(bench.poll(), { name: 'NAK', error: 9 });
  t.match(bench.poll(), { name: 'ACK' });
  bench.pass(8_000);
  bench.ask(0, { name: 'ID', type: 0 });
  bench.event(raw);
  t.match(bench.ask(1, { name: 'POLL' }).reply, { name: 'RAW' }, 'another ACU may be there after 8 s');
});

t.test('a template that fits is whole, a longer one comes in fragments', async (t) => {
  const bench = new Bench();
  const read = { kind: 'biometricRead', reader: 0, status: 0, type: 2, quality: 0xc0 } as const;
  bench.event({ ...read, template: message(64) });
  t.match(bench.poll(), { name: 'BIOREADR', totalSize: 64, offset: 0, data: message(64) });
  // 110 bytes fit beside the header of a fragment: 114 in all is where a fragment could be taken for a whole template.
  for (const size of [109, 110, 111, 113, 114, 115, 300]) {
    bench.event({ ...read, template: message(size) });
    const parts = bench.polled().flatMap((reply) => (reply.name === 'BIOREADR' ? [reply] : []));
    t.strictSame(Uint8Array.from(parts.flatMap(({ data }) => [...data])), message(size), `${size} bytes`);
    t.ok(parts.every(({ totalSize }) => totalSize === size));
  }
});

t.test('a new request takes the place of an old one, and ABORT of all', async (t) => {
  const bench = new Bench();
  const piv: Command = { name: 'PIVDATA', objectId: '5fc102', element: 0, offset: 0, offsetSize: 2 };
  bench.tell(piv);
  bench.event({ kind: 'pivData', data: message(300) });
  t.match(bench.poll(), { name: 'PIVDATAR', offset: 0 });
  bench.tell(piv);
  t.match(bench.poll(), { name: 'ACK' }, 'the rest of the old answer is gone');
  bench.event({ kind: 'pivData', data: message(300) });
  bench.event({ kind: 'keypad', reader: 0, keys: Uint8Array.of(0x31) });
  bench.poll();
  bench.tell({ name: 'FILETRANSFER', type: 1, totalSize: 20, offset: 0, data: message(10) });
  t.match(bench.tell({ name: 'ABORT' }), { name: 'ACK' });
  t.equal(bench.of('abort').length, 1);
  t.strictSame(
    bench.polled().map(({ name }) => name),
    ['KEYPAD'],
    'what happened at the reader is still told',
  );
  t.match(bench.tell({ name: 'FILETRANSFER', type: 1, totalSize: 20, offset: 10, data: message(10) }), { status: -3 });
});

t.test('the rest of an answer is not sent into a new connection', async (t) => {
  const bench = new Bench();
  bench.event({ kind: 'pivData', data: message(300) });
  bench.event({ kind: 'pivData', data: message(10) });
  t.match(bench.poll(), { name: 'PIVDATAR', offset: 0, totalSize: 300 });
  bench.ask(0, { name: 'ID', type: 0 });
  t.match(bench.ask(1, { name: 'POLL' }).reply, { name: 'PIVDATAR', offset: 0, totalSize: 10 });
});

t.test('authentication: fragments in order make one request; a gap is refused and forgotten', async (t) => {
  const bench = new Bench();
  const request = { algorithm: 7, keyReference: 0x9e, data: message(260) };
  for (const dialect of [DIALECTS.standard, DIALECTS.libosdp]) {
    const commands = authenticationCommands('CRAUTH', request, 100, dialect);
    t.equal(commands.length, 3);
    for (const command of commands) t.match(bench.tell(command), { name: 'ACK' });
    t.strictSame(bench.of('authenticate').at(-1), { kind: 'authenticate', name: 'CRAUTH', request });
  }
  t.equal(bench.of('authenticate').length, 2);
  const [first, , third] = authenticationCommands('CRAUTH', request, 100, DIALECTS.standard);
  if (first === undefined || third === undefined) throw new Error('no commands');
  t.match(bench.tell(first), { name: 'ACK' });
  t.match(bench.tell(third), { name: 'NAK', error: 9 });
  t.match(bench.tell({ ...first, name: 'GENAUTH' }), { name: 'ACK' });
  t.match(bench.tell({ ...third, name: 'CRAUTH' }), { name: 'NAK', error: 9 }, 'another command');
  t.equal(bench.of('authenticate').length, 2);
  bench.event({ kind: 'authenticated', name: 'CRAUTH', data: message(5) });
  t.match(bench.poll(), { name: 'CRAUTHR', totalSize: 5 });
});

t.test('transparent mode must be set before the card is spoken to, and modes are told', async (t) => {
  const bench = new Bench();
  const tell = (command: TransparentCommand) => bench.tell(encodeTransparentCommand(command));
  const scan = { kind: 'scan', reader: 0 } as const;
  t.match(tell(scan), { name: 'NAK', error: 9 });
  t.match(tell({ kind: 'getMode' }), { name: 'XRD', mode: 0, reply: 1, data: Uint8Array.of(0, 0) });
  t.match(tell({ kind: 'setMode', mode: 2, reportCards: true }), { name: 'NAK', error: 9 });
  t.match(tell({ kind: 'setMode', mode: 1, reportCards: true }), { name: 'ACK' });
  t.match(tell({ kind: 'getMode' }), { name: 'XRD', mode: 0, reply: 1, data: Uint8Array.of(1, 1) });
  t.match(tell(scan), { name: 'ACK' });
  t.match(tell({ kind: 'scan', reader: 1 }), { name: 'NAK', error: 9 }, 'no such reader');
  t.match(bench.tell({ name: 'XWR', mode: 7, command: 1, data: message(0) }), { name: 'NAK', error: 9 });
  t.strictSame(
    bench.of('smartCard').map(({ command }) => command.kind),
    ['setMode', 'scan'],
  );
});

t.test('ID 1 is the extended ID, whose fragments go on in polls; without one it is refused', async (t) => {
  t.match(new Bench().tell({ name: 'ID', type: 1 }), { name: 'NAK', error: 9 });
  const extendedId = [
    { tag: 0, text: 'x'.repeat(150) },
    { tag: 1, text: 'reader' },
  ];
  const bench = new Bench({ extendedId });
  const parts = [bench.tell({ name: 'ID', type: 1 }), ...bench.polled()].flatMap((reply) =>
    reply.name === 'EXT_PDID' ? [reply] : [],
  );
  t.equal(parts.length, 2);
  t.strictSame(decodeExtendedId(Uint8Array.from(parts.flatMap(({ data }) => [...data]))), {
    ok: true,
    value: extendedId,
  });
});

t.test('a date that does not exist, and a vendor that is not spoken to, are refused', async (t) => {
  const bench = new Bench();
  const time = { name: 'TDSET', year: 2026, month: 13, day: 1, hour: 0, minute: 0, second: 0 } as const;
  t.match(bench.tell(time), { name: 'NAK', error: 9 });
  t.match(bench.tell({ ...time, month: 12, hour: 24 }), { name: 'NAK', error: 9 });
  t.match(bench.tell({ name: 'MFG', vendor: '000000', data: message(1) }), { name: 'NAK', error: 9 });
  t.equal(bench.effects.filter(({ kind }) => kind === 'timeSet' || kind === 'manufacturer').length, 0);
});

t.test('files: repeats are stored once, gaps and foreign parts are malformed, too long ones aborted', async (t) => {
  const bench = new Bench();
  const send = (offset: number, size: number, totalSize = 30) =>
    bench.tell({
      name: 'FILETRANSFER',
      type: 1,
      totalSize,
      offset,
      data: message(totalSize).slice(offset, offset + size),
    });
  t.match(send(10, 10), { name: 'FTSTAT', status: -3 }, 'no beginning');
  t.match(send(0, 10), { name: 'FTSTAT', status: 0, action: 1 });
  t.match(send(0, 10), { status: 0 }, 'again, in another frame');
  t.match(send(20, 10), { status: -3 }, 'a gap');
  t.match(send(10, 10, 31), { status: -3 }, 'another file');
  t.match(send(10, 10), { status: 0 }, 'where it stood');
  t.strictSame(
    bench.of('file').map(({ offset }) => offset),
    [0, 10],
  );
  t.match(send(25, 10), { status: -3 });
  t.match(bench.tell({ name: 'FILETRANSFER', type: 1, totalSize: 30, offset: 20, data: message(11) }), { status: -3 });
  t.match(send(20, 10), { status: 3, delayMs: 50 }, 'finishing until the device has judged');
  t.match(send(30, 0), { status: 3 });
  bench.event({ kind: 'file', verdict: 'processed' });
  t.match(send(30, 0), { status: 1 });
  t.match(send(30, 0), { status: 1 }, 'the same to who has missed it');
  t.equal(bench.of('file').filter(({ complete }) => complete).length, 1);
  t.match(send(0, 10, 1_001), { status: -1 }, 'longer than the device takes');
  t.match(send(0, 10), { status: 0 }, 'offset 0 begins anew');
});

t.test('a file that the device finds useless is refused at its next fragment', async (t) => {
  const bench = new Bench();
  const send = (offset: number) =>
    bench.tell({ name: 'FILETRANSFER', type: 1, totalSize: 30, offset, data: message(30).slice(offset, offset + 10) });
  send(0);
  bench.event({ kind: 'file', verdict: 'unrecognised' });
  t.match(send(10), { status: -2 });
  t.match(send(10), { status: -2 });
  t.equal(bench.of('file').length, 1);
});

t.test('FTSTAT says that a report waits', async (t) => {
  const bench = new Bench();
  bench.event({ kind: 'keypad', reader: 0, keys: Uint8Array.of(0x31) });
  const command: Command = { name: 'FILETRANSFER', type: 1, totalSize: 30, offset: 0, data: message(10) };
  t.match(bench.tell(command), { action: 5 });
  bench.poll();
  t.match(bench.tell(command), { action: 1 });
});

const bytes = fc.uint8Array({ maxLength: 400 });
const anyEvent: fc.Arbitrary<PdEvent> = fc.oneof(
  bytes.map((data) => ({ kind: 'pivData' as const, data })),
  bytes.map((data) => ({ kind: 'authenticated' as const, name: 'GENAUTH' as const, data })),
  bytes.map((template) => ({ kind: 'biometricRead' as const, reader: 0, status: 0, type: 1, quality: 1, template })),
  bytes.map((apdu) => ({ kind: 'smartCard' as const, reply: { kind: 'apdu' as const, reader: 0, status: 0, apdu } })),
  fc.constantFrom('processed' as const, 'aborted' as const).map((verdict) => ({ kind: 'file' as const, verdict })),
);

t.test('whatever is asked, and whatever the hardware says, each command has one answer that fits', async (t) => {
  const steps = fc.array(fc.oneof(anyCommand, fc.constant<Command>({ name: 'POLL' }), anyEvent), { maxLength: 25 });
  checkProperty(
    fc.property(steps, fc.option(fc.integer({ min: 128, max: 600 })), (inputs, size) => {
      const bench = new Bench({ extendedId: [{ tag: 0, text: 'x'.repeat(300) }] });
      if (size !== null) bench.tell({ name: 'ACURXSIZE', size });
      for (const input of inputs) {
        if ('kind' in input) {
          bench.event(input);
          continue;
        }
        // SQN 0 would end what is under way, so the number goes on; the address stays that of the bench.
        if (input.name === 'COMSET' || input.name === 'ACURXSIZE') continue;
        const { last } = bench.pd;
        const sequence = (((last?.sequence ?? 0) % 3) + 1) as Sequence;
        const before = bench.effects.length;
        const answer = bench.send(commandFrame(sequence, input));
        assert.equal(bench.effects.slice(before).filter(({ kind }) => kind === 'transmit').length, 1);
        assert.ok(answer !== undefined && answer.length <= (size ?? 1440), input.name);
        readReply(answer);
      }
    }),
    300,
  );
  t.pass();
});
