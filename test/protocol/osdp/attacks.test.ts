import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import {
  createAcu,
  decodeFrame,
  deriveSessionKeys,
  encodeFrame,
  encodeReply,
  open,
  type Reply,
  SCBK_DEFAULT,
  seal,
  type Sequence,
  stepAcu,
} from '@sparc/protocol/osdp';
import { checkProperty } from '../../support/property.js';
import { anyFrame } from './arbitraries.js';
import { fromHex, toHex, VECTORS } from './osdp-vectors.js';
import { replyWithMac } from './second-opinion.js';
import { lose, pass, replaced, SCBK, VirtualLine } from './virtual-line.js';

const FUZZ_RUNS = Number(process.env['OSDP_FUZZ_RUNS'] ?? 500);
const OTHER_KEY = Uint8Array.from({ length: 16 }, (_, index) => 200 - index);
const raw: Reply = { name: 'RAW', reader: 0, format: 1, bitCount: 26, bits: Uint8Array.of(1, 2, 3, 64) };
const unlock = { name: 'OUT', records: [{ output: 0, code: 5, timerTicks: 30 }] } as const;

const clearReply = (reply: Reply, sequence: Sequence): Uint8Array =>
  encodeFrame({ address: 0x65, reply: true, sequence, check: 'crc', ...encodeReply(reply) });

function settled(): VirtualLine {
  const line = new VirtualLine();
  line.runUntil(() => line.online(), 1_000);
  line.run(500).runUntil(() => !line.acu.inTurn, 100);
  return line;
}

/** The SQN of the command that goes out next. */
const nextSequence = (line: VirtualLine): Sequence => (((line.acu.sequence ?? 0) % 3) + 1) as Sequence;

/** Codes of what the ACU has sent without authentication. */
function clearCommands(line: VirtualLine): string[] {
  const codes = line.sent.flatMap(({ from, bytes }) => {
    const frame = decodeFrame(bytes.slice(1));
    return from === 'acu' && frame.ok && frame.value.mac === undefined ? [frame.value.code.toString(16)] : [];
  });
  return [...new Set(codes)].sort();
}

t.test(
  'a wrong key is tried twice: offline with its reason, pauses of 2, 4 … 30 s, one alarm, never clear text',
  async (t) => {
    const line = new VirtualLine({ pd: { scbk: OTHER_KEY, requireSecureChannel: false } });
    line.run(120_000);
    t.strictSame(line.statuses(), ['connecting', 'offline ERR_OSDP_KEY_REJECTED']);
    t.strictSame(line.alarms(), ['ERR_OSDP_KEY_REJECTED']);
    t.strictSame(clearCommands(line), ['61', '76']);
    const challenges = line.sent.filter(({ bytes }) => toHex(bytes).includes('03110176')).map(({ atMs }) => atMs);
    const pauses = challenges.slice(1).map((atMs, index) => Math.round((atMs - (challenges[index] ?? 0)) / 1_000));
    t.strictSame(pauses, [0, 2, 4, 8, 16, 30, 30]);
  },
);

t.test('when the key is right again, the PD is back', async (t) => {
  const line = new VirtualLine({ pd: { scbk: OTHER_KEY } });
  line.run(3_000);
  line.pd = { ...line.pd, scbk: SCBK };
  line.runUntil(() => line.online(), 5_000);
  t.match(line.statuses().at(-1), 'online secure');
});

t.test('a PD in install mode gets neither a session under the default key nor a key', async (t) => {
  const line = new VirtualLine();
  const { scbk: _scbk, ...keyless } = line.pd.options;
  line.pd = { ...line.pd, options: { ...keyless, requireSecureChannel: false }, scbk: undefined, installMode: true };
  line.run(60_000);
  t.match(line.statuses().at(-1), 'offline ERR_OSDP_KEY_REJECTED');
  t.strictSame(clearCommands(line), ['61', '62', '76']);
  t.throws(() => createAcu({ address: 1, secureChannel: { mode: 'required', scbk: SCBK_DEFAULT } }), {
    code: 'ERR_OSDP_KEY_WEAK',
  });
});

t.test('a PD without Secure Channel stays offline where it is required', async (t) => {
  const line = new VirtualLine();
  const nak: Reply = { name: 'NAK', error: 3, details: Uint8Array.of(0x76) };
  line.weather.pd = (bytes) => {
    const frame = decodeFrame(bytes.slice(1));
    const forged = frame.ok && frame.value.code === 0x76 ? clearReply(nak, 0) : bytes;
    return [{ bytes: forged, delayMs: 0 }];
  };
  line.run(5_000);
  t.match(line.statuses().at(-1), 'offline ERR_OSDP_SECURE_UNSUPPORTED');
  t.strictSame(line.alarms(), ['ERR_OSDP_SECURE_UNSUPPORTED']);
});

t.test(
  'a clear card inside a session is not delivered, and is an alarm; the second one ends the session',
  async (t) => {
    for (const [count, sessionsCount] of [
      [1, 1],
      [2, 2],
    ] as const) {
      const line = settled();
      const forged = replaced(clearReply(raw, nextSequence(line)));
      line.faults.pd.push(...Array.from({ length: count }, () => forged));
      line.run(1_000);
      t.equal(line.replies('RAW').length, 0);
      t.strictSame(line.alarms(), ['ERR_OSDP_CLEAR_REPLY']);
      t.ok(line.online());
      t.equal(line.pdEffects.filter((effect) => effect.kind === 'session' && effect.secure).length, sessionsCount);
    }
  },
);

t.test('a clear ACK does not confirm an unlock', async (t) => {
  const line = settled();
  const ack = replaced(clearReply({ name: 'ACK' }, nextSequence(line)));
  line.faults.pd.push(ack, ack);
  line.command(unlock, 1, { urgent: true });
  line.run(500);
  t.match(line.outcome(1), { outcome: { kind: 'unknown', reason: 'ERR_OSDP_CLEAR_REPLY' } });
});

t.test('a clear card as the answer to the probe is not delivered', async (t) => {
  const line = new VirtualLine();
  line.faults.pd.push(replaced(clearReply(raw, 0)));
  line.run(500);
  t.equal(line.replies('RAW').length, 0);
  t.strictSame(line.alarms(), ['ERR_OSDP_CLEAR_REPLY']);
});

t.test('a forged MAC ends the session with an alarm, and nothing of the frame is used', async (t) => {
  const line = settled();
  const keys = deriveSessionKeys(OTHER_KEY, new Uint8Array(8));
  const frame = { address: 0x65, reply: true, sequence: nextSequence(line), check: 'crc' } as const;
  const forged = seal({ keys, chain: new Uint8Array(16) }, { ...frame, ...encodeReply(raw) });
  line.faults.pd.push(replaced(forged.bytes));
  line.run(500);
  t.equal(line.replies('RAW').length, 0);
  t.strictSame(line.alarms(), ['ERR_OSDP_MAC']);
  t.ok(line.online());
});

t.test('a recorded PD does not pass for the PD: RND.A is another one', async (t) => {
  const recorded = settled();
  const answers = recorded.sent.filter(({ from }) => from === 'pd').map(({ bytes }) => bytes);
  const line = new VirtualLine();
  line.feedAcu({ kind: 'turn', nowMs: line.nowMs, rndA: Uint8Array.of(9, 9, 9, 9, 9, 9, 9, 9) });
  line.faults.pd.push(...answers.map(replaced));
  line.weather.pd = lose;
  line.run(5_000);
  t.notOk(line.online());
});

t.test('a recorded ACU does not open the door: RND.B is another one', async (t) => {
  const recorded = settled();
  recorded.command(unlock, 1, { urgent: true });
  recorded.run(300);
  t.equal(recorded.pdEffects.filter((effect) => effect.kind === 'output').length, 1);
  const victim = new VirtualLine();
  for (const { from, bytes } of recorded.sent) {
    if (from !== 'acu') continue;
    const rndB = Uint8Array.of(7, 7, 7, 7, 7, 7, 7, 7);
    victim.feedPd({ kind: 'bytes', nowMs: victim.nowMs, bytes, rndB });
  }
  t.equal(victim.pdEffects.filter((effect) => effect.kind === 'output').length, 0);
  t.equal(victim.pdEffects.filter((effect) => effect.kind === 'session').length, 0);
});

t.test('clear commands on the line move nothing, and the session is negotiated again', async (t) => {
  const line = settled();
  for (const sequence of [0, 1, 2, 3] as const) {
    const frame = { address: 0x65, reply: false, sequence, check: 'crc', code: 0x68 } as const;
    line.inject('pd', encodeFrame({ ...frame, payload: Uint8Array.of(0, 2, 0, 0) }));
  }
  line.run(1_000);
  t.equal(line.pdEffects.filter((effect) => effect.kind === 'output').length, 0);
  t.ok(line.online());
  t.ok(line.alarms().length > 0);
});

t.test('answers to ID that are garbled each time hint at two devices at one address', async (t) => {
  const line = new VirtualLine();
  line.weather.pd = (bytes) => [
    { bytes: bytes.map((byte, index) => (index % 3 === 0 ? byte & 0x5a : byte)), delayMs: 0 },
  ];
  line.run(20_000);
  t.strictSame(line.alarms(), ['ERR_OSDP_ADDRESS_CONFLICT']);
  t.match(line.statuses(), ['offline ERR_OSDP_GARBLED']);
});

t.test('another device at the address is told', async (t) => {
  const line = settled();
  const { id } = line.pd.options;
  line.pd = { ...line.pd, options: { ...line.pd.options, id: { ...id, serial: 77 } } };
  line.feedPd({ kind: 'reset', nowMs: line.nowMs });
  line.run(2_000);
  t.ok(line.alarms().includes('ERR_OSDP_ADDRESS_CONFLICT'));
});

t.test('a status that libosdp leaves unencrypted is taken, a card so is not', async (t) => {
  const rndA = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
  const chain = Uint8Array.from({ length: 16 }, (_, index) => index);
  const session = { keys: deriveSessionKeys(SCBK, rndA), chain };
  const openPlain = (reply: Reply) => {
    const { code, payload } = encodeReply(reply);
    const frame = { address: 0x65, sequence: 1, blockType: 0x15, code, data: payload };
    return open(session, replyWithMac(frame, { scbk: SCBK, rndA, chain }));
  };
  t.match(openPlain({ name: 'ISTATR', inputs: [0, 1, 0, 0] }), {
    ok: true,
    value: { frame: { payload: Uint8Array.of(0, 1, 0, 0) } },
  });
  t.match(openPlain(raw), { ok: false, error: { code: 'ERR_OSDP_MAC' } });
});

t.test('whatever frame answers inside a session, nothing that is not authentic is delivered', async (t) => {
  const line = settled();
  line.nowMs = Math.max(line.nowMs, line.acu.pollAtMs);
  line.feedAcu({ kind: 'turn', nowMs: line.nowMs, rndA: new Uint8Array(8) });
  const waiting = line.acu;
  const sequence = waiting.exchange?.sequence;
  assert.ok(sequence !== undefined);
  const fill = fc.uint8Array({ maxLength: 48 });
  const forged = fc.oneof(
    anyFrame.map((frame) => encodeFrame({ ...frame, address: 0x65, reply: true })),
    anyFrame.map((frame) => encodeFrame({ ...frame, address: 0x65, reply: true, sequence })),
    fc
      .tuple(fc.integer({ min: 0x15, max: 0x18 }), fc.nat(0xff), fill, fc.uint8Array({ minLength: 4, maxLength: 4 }))
      .map(([blockType, code, data, mac]) => replyWithMac({ address: 0x65, sequence, blockType, code, data }, mac)),
  );
  checkProperty(
    fc.property(forged, (bytes) => {
      const { effects } = stepAcu(waiting, { kind: 'frame', nowMs: line.nowMs, bytes });
      assert.ok(!effects.some((effect) => effect.kind === 'reply' || effect.kind === 'commandDone'));
    }),
    FUZZ_RUNS,
  );
  t.pass();
});

t.test('whatever stands in an authentic frame, opening it is total', async (t) => {
  const rndA = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
  const chain = new Uint8Array(16);
  const session = { keys: deriveSessionKeys(SCBK, rndA), chain };
  const any = fc.record({
    address: fc.nat(0x7f),
    sequence: fc.nat(3),
    blockType: fc.integer({ min: 0x15, max: 0x18 }),
    code: fc.nat(0xff),
    data: fc.uint8Array({ maxLength: 64 }),
  });
  checkProperty(
    fc.property(any, (frame) => {
      const opened = open(session, replyWithMac(frame, { scbk: SCBK, rndA, chain }));
      if (!opened.ok) assert.equal(opened.error.code, 'ERR_OSDP_MAC');
    }),
    FUZZ_RUNS,
  );
  t.pass();
});

t.test('sealing and opening are inverse in both directions, along a whole session', async (t) => {
  const messages = fc.array(anyFrame, { minLength: 1, maxLength: 8 });
  checkProperty(
    fc.property(messages, fc.uint8Array({ minLength: 8, maxLength: 8 }), (frames, rndA) => {
      let [ours, theirs] = [1, 2].map(() => ({ keys: deriveSessionKeys(SCBK, rndA), chain: new Uint8Array(16) }));
      for (const { securityBlock: _block, ...frame } of frames) {
        assert.ok(ours !== undefined && theirs !== undefined);
        const sealed = seal(ours, frame);
        const opened = open(theirs, sealed.bytes);
        assert.ok(opened.ok);
        const { securityBlock: _scs, ...plain } = opened.value.frame;
        assert.deepEqual(plain, frame);
        assert.ok(!open(opened.value.session, sealed.bytes).ok, 'a replay does not open');
        ours = { ...sealed.session, chain: Uint8Array.from(sealed.session.chain) };
        theirs = { ...opened.value.session, chain: Uint8Array.from(opened.value.session.chain) };
      }
    }),
    100,
  );
  t.pass();
});

t.test('whatever comes over the line, a PD in full security moves nothing and does not throw', async (t) => {
  const line = settled();
  const established = line.pd;
  checkProperty(
    fc.property(fc.array(anyFrame, { maxLength: 4 }), fc.uint8Array({ maxLength: 100 }), (frames, noise) => {
      line.pd = established;
      line.pdEffects.length = 0;
      for (const frame of frames) {
        const bytes = encodeFrame({ ...frame, address: 0x65, reply: false });
        line.feedPd({ kind: 'bytes', nowMs: line.nowMs, bytes, rndB: new Uint8Array(8) });
      }
      line.feedPd({ kind: 'bytes', nowMs: line.nowMs, bytes: noise, rndB: new Uint8Array(8) });
      const moved = ['output', 'led', 'buzzer', 'text', 'key', 'communication'];
      assert.ok(!line.pdEffects.some(({ kind }) => moved.includes(kind)));
    }),
    FUZZ_RUNS,
  );
  t.pass();
});

t.test('noise on the line: an unlock is executed at most once, no clear text, and all is well after it', async (t) => {
  checkProperty(
    fc.property(fc.infiniteStream(fc.nat(2_999)), (dice) => {
      const line = settled();
      const noisy = (bytes: Uint8Array) => [
        { bytes: bytes.map((byte) => (dice.next().value === 0 ? byte ^ 0x20 : byte)), delayMs: 0 },
      ];
      line.weather.acu = noisy;
      line.weather.pd = noisy;
      for (let token = 0; token < 10; token += 1) {
        line.command(unlock, token, { urgent: true, ttlMs: 1_000 });
        line.run(4_000);
        const active = line.pdEffects.filter((effect) => effect.kind === 'output' && effect.active).length;
        assert.ok(active <= token + 1);
        assert.ok(line.outcome(token) !== undefined, 'every command ends');
      }
      line.weather.acu = pass;
      line.weather.pd = pass;
      line.runUntil(() => line.online(), 40_000);
      assert.deepEqual(clearCommands(line), ['61', '76', '77']);
    }),
    10,
  );
  t.pass();
});

t.test('the recorded ACU of another stack and ours open a session with the same bytes', async (t) => {
  const frames = VECTORS.sessions[0]?.frames ?? [];
  const line = new VirtualLine();
  // The key of the recording was published, so the machine would refuse it.
  line.acu = { ...line.acu, secureChannel: { mode: 'required', scbk: fromHex(VECTORS.sessions[0]?.scbks[0] ?? '') } };
  const rndA = fromHex('5a81a8886f073a6d');
  for (const index of [0, 4, 6]) {
    line.feedAcu({ kind: 'turn', nowMs: line.nowMs, rndA });
    t.equal(toHex(line.sent.at(-1)?.bytes ?? rndA), `ff${frames[index]?.wire}`);
    line.feedAcu({ kind: 'frame', nowMs: line.nowMs, bytes: fromHex(frames[index + 1]?.wire ?? '') });
  }
  t.ok(line.online());
});
