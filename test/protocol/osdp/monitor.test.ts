import fc from 'fast-check';
import t from 'tap';
import {
  crc16,
  createMonitor,
  encodeCommand,
  encodeFrame,
  encodeReply,
  stepMonitor,
  type Command,
  type MonitorFrame,
  type MonitorItem,
  type MonitorKey,
  type MonitorOptions,
  type Reply,
  type Sequence,
} from '@sparc/protocol/osdp';
import { checkProperty } from '../../support/property.js';
import { fromHex, toHex, unmarked, VECTORS } from './osdp-vectors.js';
import { lose, SCBK, VirtualLine, type Fault } from './virtual-line.js';

interface Said {
  readonly atMs: number;
  readonly bytes: Uint8Array;
}

/** Everything that a monitor says of what was heard, to its end. */
function hear(said: readonly Said[], options: MonitorOptions = {}): MonitorItem[] {
  let state = createMonitor(options);
  const items: MonitorItem[] = [];
  for (const input of [...said, { atMs: Infinity, bytes: new Uint8Array(0) }]) {
    const next = stepMonitor(state, input);
    state = next.state;
    items.push(...next.items);
  }
  return items;
}

const frames = (items: readonly MonitorItem[]): MonitorFrame[] => items.filter((item) => item.kind === 'frame');
const findings = (items: readonly MonitorItem[]): string[] =>
  frames(items).flatMap((item) => item.findings.map(({ code }) => code));

const [RECORDING] = VECTORS.sessions;
if (RECORDING === undefined) throw new Error('no recorded session');
const [FIRST_KEY, SECOND_KEY] = RECORDING.scbks.map((scbk): MonitorKey => ({ scbk: fromHex(scbk) }));
if (FIRST_KEY === undefined || SECOND_KEY === undefined) throw new Error('no recorded keys');
/** A whole session between two endpoints of libosdp, frame by frame. */
const SESSION: readonly Said[] = RECORDING.frames.map(({ wire }, index) => ({
  atMs: 1_000 + 20 * index,
  bytes: fromHex(wire),
}));
const PLAIN = RECORDING.frames.map(({ plain }) => plain);

t.test(
  'with its key, every frame of a recorded session is read, and those after KEYSET by the key it brought',
  async (t) => {
    const items = frames(hear(SESSION, { keys: [FIRST_KEY] }));
    t.strictSame(
      items.map(({ frame }) => toHex(frame.payload)),
      PLAIN,
    );
    t.strictSame(
      items.filter(({ reading }) => reading.kind !== 'command' && reading.kind !== 'reply').map(({ text }) => text),
      [],
    );
    t.strictSame(findings(items), ['sessionOpened', 'keySeen', 'sessionEnded', 'sessionOpened']);
  },
);

t.test('keys that somebody forges do not push out those that were given', async (t) => {
  const forged = Array.from({ length: 400 }, (_, index): Said => {
    const key = Uint8Array.from({ length: 16 }, (_, at) => (at === 0 ? index & 0xff : at === 1 ? index >> 8 : at));
    const keyset = encodeCommand({ name: 'KEYSET', keyType: 1, key });
    return { atMs: index, bytes: encodeFrame({ address: 1, reply: false, sequence: 0, check: 'crc', ...keyset }) };
  });
  const items = frames(hear([...forged, ...SESSION], { keys: [FIRST_KEY] })).slice(forged.length);
  t.strictSame(
    items.map(({ frame }) => toHex(frame.payload)),
    PLAIN,
  );
});

t.test('without a key, codes are read and data is said to be hidden', async (t) => {
  const items = hear(SESSION);
  for (const [index, { reading, frame, text }] of frames(items).entries()) {
    if (RECORDING.frames[index]?.scb === '0217' || RECORDING.frames[index]?.scb === '0218') {
      t.strictSame(reading, { kind: 'hidden', reason: 'noKey' });
      t.match(text, 'no key for this session');
      t.not(toHex(frame.payload), PLAIN[index]);
    }
  }
  t.match(
    frames(items).map(({ text }) => text),
    { 8: /^LED, 16 encrypted bytes/, 9: 'ACK', 10: 'POLL' },
  );
  t.strictSame(findings(items), ['sessionHidden', 'sessionEnded', 'sessionHidden']);
});

t.test('a key of another address is not tried, nor does a wrong key read anything', async (t) => {
  for (const key of [{ ...FIRST_KEY, address: 0x66 }, { scbk: SCBK }]) {
    t.match(frames(hear(SESSION.slice(0, 10), { keys: [key] }))[8]?.reading, { kind: 'hidden', reason: 'noKey' });
  }
  const own = { ...FIRST_KEY, address: 0x65 };
  t.match(frames(hear(SESSION.slice(0, 10), { keys: [own] }))[8]?.reading, {
    kind: 'command',
    command: { name: 'LED' },
  });
});

t.test(
  'a session that began before the capture is said to have, once, and read from its next handshake on',
  async (t) => {
    const items = frames(hear(SESSION.slice(8), { keys: [FIRST_KEY, SECOND_KEY] }));
    t.strictSame(findings(items.slice(0, 50)), ['sessionHidden']);
    t.match(items[0]?.reading, { kind: 'hidden', reason: 'sessionBeganBefore' });
    t.match(items[0]?.text, 'the session began before the capture');
    const after = items.findIndex(({ findings }) => findings.some(({ code }) => code === 'sessionOpened'));
    t.ok(after > 50);
    t.ok(items.slice(after).every(({ reading }) => reading.kind !== 'hidden'));
  },
);

t.test('R-MAC_I may be lost to the listener, no other frame of a session', async (t) => {
  const without = (index: number) =>
    frames(hear([...SESSION.slice(0, index), ...SESSION.slice(index + 1, 60)], { keys: [FIRST_KEY] }));
  t.ok(without(7).every(({ reading }) => reading.kind !== 'hidden'));
  const items = without(10);
  t.match(items[10]?.reading, { kind: 'hidden', reason: 'chainBroken' });
  t.match(items[11]?.findings, [{ code: 'sequenceGap' }]);
  t.ok(items.slice(10).every(({ reading }) => reading.kind === 'hidden'));
});

t.test('a forged frame in a session is not believed, and the frames after it are read', async (t) => {
  const original = SESSION[16]?.bytes ?? new Uint8Array(0);
  t.equal(RECORDING.frames[16]?.scb, '0217');
  const replaced = withRightCheck(original.with(10, (original[10] ?? 0) ^ 1));
  const items = frames(
    hear([...SESSION.slice(0, 16), { atMs: 1_321, bytes: replaced }, ...SESSION.slice(16)], { keys: [FIRST_KEY] }),
  );
  t.match(items[16]?.reading, { kind: 'hidden', reason: 'chainBroken' });
  t.ok([...items.slice(0, 16), ...items.slice(17)].every(({ reading }) => reading.kind !== 'hidden'));
});

/** Whoever forges a frame can compute its check. */
function withRightCheck(bytes: Uint8Array): Uint8Array {
  const covered = bytes.slice(0, -2);
  const crc = crc16(covered);
  return Uint8Array.of(...covered, crc & 0xff, crc >> 8);
}

t.test('what is heard does not depend on how the line delivers it', async (t) => {
  const bytes = Uint8Array.from(SESSION.flatMap((said) => [0xff, ...said.bytes]));
  const whole = hear([{ atMs: 1_000, bytes }], { keys: [FIRST_KEY] }).map(({ text }) => text);
  t.equal(whole.length, SESSION.length);
  checkProperty(
    fc.property(fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 10, maxLength: 400 }), (sizes) => {
      const said: Said[] = [];
      let offset = 0;
      for (const size of sizes) {
        said.push({ atMs: 1_000 + said.length, bytes: bytes.slice(offset, offset + size) });
        offset += size;
      }
      said.push({ atMs: 1_000 + said.length, bytes: bytes.slice(offset) });
      const texts = hear(said, { keys: [FIRST_KEY] }).map(({ text }) => text);
      return texts.join('\n') === whole.join('\n');
    }),
    20,
  );
  t.pass();
});

t.test('any bytes are told, all of them, in order and without an exception', async (t) => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    fc.constantFrom(...SESSION.slice(0, 30).map((said) => said.bytes)),
    fc.constantFrom(...VECTORS.negative.map(({ wire }) => fromHex(wire))),
  );
  checkProperty(
    fc.property(fc.array(fc.tuple(bytes, fc.integer({ min: 0, max: 300 })), { maxLength: 30 }), (chunks) => {
      let atMs = 0;
      const said = chunks.map(([part, pauseMs]) => ({ atMs: (atMs += pauseMs), bytes: part }));
      const told = hear(said, { keys: [FIRST_KEY] }).flatMap((item) => ('bytes' in item ? [...item.bytes] : []));
      const unmarkedBytes = (all: readonly number[]) => all.filter((byte) => byte !== 0xff);
      return (
        toHex(Uint8Array.from(unmarkedBytes(told))) ===
        toHex(Uint8Array.from(unmarkedBytes(said.flatMap((each) => [...each.bytes]))))
      );
    }),
    300,
  );
  t.pass();
});

t.test('BUSY is no answer: the command is repeated, and its answer counted from the repeat', async (t) => {
  const [busy] = VECTORS.scenarios;
  const items = hear((busy?.frames ?? []).map(({ tMs, wire }) => ({ atMs: tMs ?? 0, bytes: unmarked(wire) })));
  const at = frames(items).findIndex(({ text }) => text === 'BUSY');
  t.match(frames(items).slice(at, at + 3), [
    { direction: 'pd', repeat: false, delayMs: 1 },
    { direction: 'acu', text: 'POLL', repeat: true },
    { direction: 'pd', text: 'ACK', repeat: false, delayMs: 1 },
  ]);
  t.strictSame(findings(items), ['sessionHidden']);
});

t.test('a command without an answer is told before the next command, with what came in place of it', async (t) => {
  const poll = command({ name: 'POLL' }, 1);
  const noise = fromHex('5a0053ff17');
  const items = hear([
    { atMs: 0, bytes: poll },
    { atMs: 200, bytes: poll },
    { atMs: 210, bytes: noise },
    { atMs: 400, bytes: poll },
    { atMs: 410, bytes: reply({ name: 'ACK' }, 1) },
  ]);
  t.match(items, [
    { kind: 'frame', repeat: false },
    { kind: 'unanswered', address: 5, waitedMs: 200, garbled: false, text: 'POLL was not answered' },
    { kind: 'frame', repeat: true },
    { kind: 'noise', damage: 'cutShort' },
    { kind: 'unanswered', garbled: true, waitedMs: 200 },
    { kind: 'frame', repeat: true },
    { kind: 'frame', delayMs: 10 },
  ]);
  t.equal(items.length, 7);
});

t.test('a frame with a wrong check is told as one, with its bytes', async (t) => {
  const damaged = command({ name: 'POLL' }, 1);
  damaged[6] = (damaged[6] ?? 0) ^ 0x10;
  t.match(hear([{ atMs: 0, bytes: Uint8Array.of(0xff, ...damaged, 0xff, 0xff) }]), [
    { kind: 'noise', damage: 'badCheck', bytes: damaged },
  ]);
  t.match(hear([{ atMs: 0, bytes: fromHex('53ff17000702500000') }]), [{ kind: 'noise', damage: 'cutShort' }]);
  t.match(hear([{ atMs: 0, bytes: fromHex('0102030405') }]), [{ kind: 'noise', damage: 'stray' }]);
});

t.test('sequence numbers that are left out or used twice are found, and a NAK excuses the second use', async (t) => {
  const [, , reused] = VECTORS.scenarios;
  t.strictSame(
    findings(hear((reused?.frames ?? []).map(({ wire }, index) => ({ atMs: index, bytes: unmarked(wire) })))),
    ['sequenceReused', 'sequenceReused', 'sequenceGap'],
  );
  const after = (answer: Reply) =>
    findings(
      hear([
        { atMs: 0, bytes: command({ name: 'POLL' }, 2) },
        { atMs: 5, bytes: reply(answer, 2) },
        { atMs: 50, bytes: command({ name: 'LSTAT' }, 2) },
      ]),
    );
  t.strictSame(after({ name: 'ACK' }), ['sequenceReused']);
  t.strictSame(after({ name: 'NAK', error: 9, details: new Uint8Array(0) }), []);
});

t.test('a second reply, and one to nobody, are found: two devices at one address, or a forger', async (t) => {
  const ack = reply({ name: 'ACK' }, 1);
  const items = hear([
    { atMs: 0, bytes: command({ name: 'POLL' }, 1) },
    { atMs: 5, bytes: ack },
    { atMs: 6, bytes: reply({ name: 'LSTATR', tampered: false, powerFailed: false }, 1) },
    { atMs: 50, bytes: command({ name: 'POLL' }, 2) },
    { atMs: 55, bytes: reply({ name: 'ACK' }, 2, 9) },
    { atMs: 56, bytes: reply({ name: 'ACK' }, 1) },
  ]);
  t.match(frames(items)[2]?.findings, [{ code: 'unexpectedReply' }]);
  t.match(frames(items)[4]?.findings, [{ code: 'unexpectedReply' }]);
  t.match(frames(items)[5]?.findings, [{ code: 'sequenceMismatch' }]);
});

t.test('clear text in a session is found; BUSY, NAK 1 and the announcement that it is over are none', async (t) => {
  const inSession = (answer: Reply) =>
    findings(
      hear([...SESSION.slice(0, 11), { atMs: 1_210, bytes: reply(answer, 3, 0x65) }], { keys: [FIRST_KEY] }),
    ).slice(1);
  const nak = (error: number): Reply => ({ name: 'NAK', error, details: new Uint8Array(0) });
  t.strictSame(inSession({ name: 'ACK' }), ['clearInSession']);
  t.strictSame(inSession(nak(2)), ['clearInSession']);
  t.strictSame(inSession(nak(1)), []);
  t.strictSame(inSession({ name: 'BUSY' }), []);
  t.strictSame(inSession(nak(6)), ['sessionEnded']);
});

t.test('under SCBK-D everything is read without a key, and said to be readable for everybody', async (t) => {
  const untilMs = 100_000;
  const line = new VirtualLine({
    pd: { scbk: undefined as never, requireSecureChannel: false, installMode: true },
    secureChannel: { mode: 'install', scbk: SCBK, untilMs },
  });
  line.runUntil(() => line.online(), 5_000);
  line.run(500);
  const items = frames(hear(line.sent));
  t.ok(items.every(({ reading }) => reading.kind === 'command' || reading.kind === 'reply'));
  const seen = items.find(({ findings }) => findings.some(({ code }) => code === 'keySeen'));
  t.match(seen?.findings[0]?.text, 'readable for everybody');
  t.match(seen?.text, '***');
  t.strictSame(findings(items).slice(0, 3), ['sessionRefused', 'defaultKey', 'sessionOpened']);
  t.equal(
    findings(items).filter((code) => code === 'sessionOpened').length,
    2,
    'the second under the key that was sent',
  );
});

t.test('whatever is lost between the two, who hears both of them reads both', async (t) => {
  const fault: fc.Arbitrary<Fault> = fc.constantFrom(lose, (bytes) => [{ bytes, delayMs: 0 }]);
  checkProperty(
    fc.property(fc.array(fault, { maxLength: 30 }), fc.array(fault, { maxLength: 30 }), (acu, pd) => {
      const line = new VirtualLine();
      line.faults.acu.push(...acu);
      line.faults.pd.push(...pd);
      line.run(3_000);
      line.event({ kind: 'keypad', reader: 0, keys: Uint8Array.of(0x31, 0x32) });
      line.run(1_000);
      const items = hear(line.sent, { keys: [{ scbk: SCBK }] });
      return (
        items.every((item) => item.kind !== 'noise') && frames(items).every(({ reading }) => reading.kind !== 'hidden')
      );
    }),
    40,
  );
  t.pass();
});

t.test('card numbers, keypad digits and keys are in no text, unless they are asked for', async (t) => {
  const secrets = { card: '00111111100010100010000111', keys: '1234#', key: '0f0e0d0c0b0a09080706050403020100' };
  const text = (showSecrets: boolean) =>
    hear(SESSION, { keys: [FIRST_KEY], showSecrets })
      .map((item) => item.text)
      .join('\n');
  for (const secret of Object.values(secrets)) {
    t.notMatch(text(false), secret);
    t.match(text(true), secret);
  }
});

t.test('transfers tell how far they are, and a part that does not follow is found', async (t) => {
  const part = (offset: number, size: number, sequence: Sequence) =>
    command({ name: 'FILETRANSFER', type: 1, totalSize: 400, offset, data: new Uint8Array(size) }, sequence);
  const items = frames(
    hear([
      { atMs: 0, bytes: part(0, 100, 1) },
      { atMs: 50, bytes: part(100, 100, 2) },
      { atMs: 100, bytes: part(100, 100, 2) },
      { atMs: 150, bytes: part(300, 100, 3) },
      { atMs: 200, bytes: part(400, 0, 1) },
    ]),
  );
  t.match(items[0]?.text, 'bytes 0 to 99 of 400 (25 %)');
  t.match(items[3]?.text, 'bytes 300 to 399 of 400 (100 %)');
  t.strictSame(findings(items), ['fragmentGap']);
  t.match(items[3]?.findings[0]?.text, 'byte 300, where byte 200 was due');
});

t.test('at two ends of a line, each direction is searched by itself', async (t) => {
  const poll = command({ name: 'POLL' }, 1);
  const ack = reply({ name: 'ACK' }, 1);
  let state = createMonitor();
  const texts: string[] = [];
  for (const [direction, bytes] of [
    ['acu', poll.slice(0, 4)],
    ['pd', ack.slice(0, 3)],
    ['acu', poll.slice(4)],
    ['pd', ack.slice(3)],
  ] as const) {
    const next = stepMonitor(state, { atMs: 1, bytes, direction });
    state = next.state;
    texts.push(...next.items.map(({ text }) => text));
  }
  t.strictSame(texts, ['POLL', 'ACK']);
});

function command(value: Command, sequence: Sequence, address = 5): Uint8Array {
  return encodeFrame({ address, reply: false, sequence, check: 'crc', ...encodeCommand(value) });
}

function reply(value: Reply, sequence: Sequence, address = 5): Uint8Array {
  return encodeFrame({ address, reply: true, sequence, check: 'crc', ...encodeReply(value) });
}
