import t from 'tap';
import {
  CAPABILITY,
  type Check,
  type CommandName,
  CONFIGURATION_ADDRESS,
  createAcu,
  createPd,
  decodeFrame,
  encodeFrame,
  encodeReply,
  nextTimeMs,
  open,
  type Reply,
  seal,
  stepPd,
} from '@sparc/protocol/osdp';
import { fromHex } from './osdp-vectors.js';
import { type Fault, lose, pass, PD_OPTIONS, SCBK, VirtualLine } from './virtual-line.js';

const CLEAR = { secureChannel: { mode: 'clear' }, pd: { requireSecureChannel: false } } as const;
const unlock = { name: 'OUT', records: [{ output: 0, code: 5, timerTicks: 30 }] } as const;
const CHECKSUM_ONLY = { function: CAPABILITY.checkCharacter, compliance: 0, count: 0 };
const CHALLENGE = fromHex('53 65 13 00 0C 03 11 01 76 5A 81 A8 88 6F 07 3A 6D C3 69');
const nak = (error: number): Reply => ({ name: 'NAK', error, details: new Uint8Array() });

/** Every reply becomes this one in clear, with the SQN of the reply that it replaces. */
const always =
  (reply: Reply): Fault =>
  (bytes) => {
    const frame = decodeFrame(bytes.subarray(1));
    if (!frame.ok) return [];
    const { address, sequence, check } = frame.value;
    const forged = encodeFrame({ address, reply: true, sequence, check, ...encodeReply(reply) });
    return [{ bytes: forged, delayMs: 0 }];
  };

/** Every reply to this command becomes another one of the same session. */
const authentic =
  (line: VirtualLine, command: CommandName, reply: Reply): Fault =>
  (bytes) => {
    const { exchange } = line.acu;
    const { security } = line.pd;
    if (exchange?.session === undefined || exchange.command.name !== command) return [{ bytes, delayMs: 0 }];
    const { sequence, session } = exchange;
    const sealed = seal(session, { address: 0x65, reply: true, sequence, check: 'crc', ...encodeReply(reply) });
    if (security.kind === 'established') {
      line.pd = { ...line.pd, security: { ...security, session: sealed.session } };
    }
    return [{ bytes: sealed.bytes, delayMs: 0 }];
  };

/** Frames with any other check are not heard. */
const hears =
  (check: Check): Fault =>
  (bytes) => {
    const frame = decodeFrame(bytes.subarray(1));
    return frame.ok && frame.value.check === check ? [{ bytes, delayMs: 0 }] : [];
  };

function settled(options?: ConstructorParameters<typeof VirtualLine>[0]): VirtualLine {
  const line = new VirtualLine(options);
  line.runUntil(() => line.online(), 1_000);
  line.run(9_000).runUntil(() => !line.acu.inTurn, 100);
  return line;
}

for (const [name, options] of Object.entries({ secure: undefined, clear: CLEAR })) {
  t.test(`NAK 1 for ever is bounded like BUSY: after 8 s the PD is offline (${name})`, async (t) => {
    const line = settled(options);
    line.weather.pd = always(nak(1));
    line.run(8_500);
    t.equal(line.statuses().at(-1), 'offline ERR_OSDP_GARBLED');
    line.run(60_000);
    t.match(line.statuses().at(-1), /^offline/);
  });

  t.test(`a PD that hears nothing but checksums comes online, and works (${name})`, async (t) => {
    const line = new VirtualLine({ ...options, pd: { ...options?.pd, capabilities: [CHECKSUM_ONLY] } });
    line.weather.acu = hears('checksum');
    line.runUntil(() => line.online(), 10_000);
    line.command(unlock, 1, { urgent: true });
    line.run(10_000);
    t.match(line.outcome(1), { outcome: { kind: 'acknowledged' } });
    t.ok(line.online());
  });

  t.test(`BUSY with the SQN of the command is BUSY too: no acknowledgement, no lost session (${name})`, async (t) => {
    const line = settled(options);
    line.command(unlock, 1, { urgent: true });
    line.weather.pd = always({ name: 'BUSY' });
    line.run(500);
    t.equal(line.outcome(1), undefined);
    line.weather.pd = pass;
    line.run(500);
    t.match(line.outcome(1), { outcome: { kind: 'acknowledged', reply: { name: 'OSTATR' } } });
    t.strictSame(line.alarms(), []);
  });
}

t.test('a PD that answers every probe by NAK 1 is reported, and probed with growing pauses', async (t) => {
  const line = new VirtualLine();
  line.weather.pd = always(nak(1));
  line.run(60_000);
  t.match(line.statuses().at(-1), /^offline/);
  t.ok(line.sent.filter(({ from }) => from === 'acu').length < 12);
});

t.test('a PD that answers every CHLNG by NAK 4 is reported, and tried ever more seldom', async (t) => {
  const line = new VirtualLine();
  line.runUntil(() => line.acu.phase.kind === 'challenged', 1_000);
  line.weather.pd = (bytes, nowMs) => (line.acu.phase.kind === 'probe' ? pass : always(nak(4)))(bytes, nowMs);
  line.run(120_000);
  t.strictSame(line.statuses(), ['connecting', 'offline ERR_OSDP_SECURE_UNSUPPORTED']);
  t.strictSame(line.alarms(), ['ERR_OSDP_SECURE_UNSUPPORTED']);
  t.ok(line.sent.filter(({ from }) => from === 'acu').length < 30);
});

t.test('a clear PD that restarts now and then is back at once each time', async (t) => {
  const line = settled(CLEAR);
  for (let round = 0; round < 8; round += 1) {
    line.run(20_000);
    line.feedPd({ kind: 'reset', nowMs: line.nowMs });
    line.runUntil(() => !line.online(), 100);
    line.runUntil(() => line.online(), 1_000);
  }
  t.pass();
});

t.test('a clear PD that restarts and then vanishes is reported offline', async (t) => {
  const line = settled(CLEAR);
  line.feedPd({ kind: 'reset', nowMs: line.nowMs });
  line.runUntil(() => !line.online(), 100);
  line.weather.pd = lose;
  line.run(20_000);
  t.match(line.statuses().at(-1), /^offline/);
});

t.test('a command that waits for a session ends at its deadline, not when the next handshake is due', async (t) => {
  const line = settled();
  for (let round = 0; round < 20; round += 1) {
    line.feedPd({ kind: 'reset', nowMs: line.nowMs });
    line.run(500);
  }
  t.equal(line.statuses().at(-1), 'connecting ERR_OSDP_SECURE_LOST');
  line.command(unlock, 1, { urgent: true, ttlMs: 500 });
  line.run(600);
  t.match(line.outcome(1), { outcome: { kind: 'notExecuted', reason: 'ERR_OSDP_DEADLINE' } });
});

t.test(
  'a PD that wants Secure Channel and is configured in clear is never called online, and alarms once',
  async (t) => {
    const line = new VirtualLine({ secureChannel: { mode: 'clear' }, pd: { requireSecureChannel: true } });
    line.run(300_000);
    t.strictSame(line.statuses(), ['connecting', 'offline ERR_OSDP_SECURE_REQUIRED']);
    t.strictSame(line.alarms(), ['ERR_OSDP_SECURE_REQUIRED']);
  },
);

t.test('a PD found by a checksum is spoken to by CRC as soon as it says that it knows it', async (t) => {
  const line = new VirtualLine();
  line.weather.acu = hears('checksum');
  line.runUntil(() => line.sent.some(({ from }) => from === 'pd'), 10_000);
  line.weather.acu = pass;
  line.run(2_000);
  t.ok(line.online());
  t.equal(line.acu.check, 'crc');
  t.strictSame(line.alarms(), []);
});

t.test(
  'a reader that claims CRC and hears checksums alone loses one session over it, not one after the other',
  async (t) => {
    for (const options of [undefined, CLEAR]) {
      const line = new VirtualLine(options);
      line.weather.acu = hears('checksum');
      line.runUntil(() => line.online(), 10_000);
      const restarts = line.statuses().length;
      line.run(1_500);
      t.ok(line.online());
      t.equal(line.acu.check, 'checksum');
      line.command(unlock, 1, { urgent: true });
      line.run(60_000);
      t.match(line.outcome(1), { outcome: { kind: 'acknowledged' } });
      t.ok(line.statuses().length <= restarts + 2, line.statuses().join(', '));
      t.match(
        line.acuEffects.filter(({ kind }) => kind === 'notice'),
        [{ code: 'ERR_OSDP_DEVIATION', message: /CRC/ }],
      );
      t.strictSame(line.alarms(), []);
    }
  },
);

/** The same reply with other bytes in it, in clear or of the same session. */
const withPayload =
  (line: VirtualLine, command: CommandName, change: (payload: Uint8Array) => Uint8Array): Fault =>
  (bytes) => {
    const { exchange } = line.acu;
    const frame = decodeFrame(bytes.subarray(1));
    if (!frame.ok || exchange?.command.name !== command) return [{ bytes, delayMs: 0 }];
    const { securityBlock: _block, mac: _mac, ...plain } = frame.value;
    if (exchange.session === undefined) {
      return [{ bytes: encodeFrame({ ...plain, payload: change(plain.payload) }), delayMs: 0 }];
    }
    const opened = open(exchange.session, bytes.subarray(1));
    if (!opened.ok) return [];
    const sealed = seal(exchange.session, { ...plain, payload: change(opened.value.frame.payload) });
    const { security } = line.pd;
    if (security.kind === 'established') {
      line.pd = { ...line.pd, security: { ...security, session: sealed.session } };
    }
    return [{ bytes: sealed.bytes, delayMs: 0 }];
  };

for (const [name, options] of Object.entries({ secure: undefined, clear: CLEAR })) {
  t.test(`a PDID that is too short or too long keeps no reader offline (${name})`, async (t) => {
    for (const change of [(id: Uint8Array) => id.subarray(0, 9), (id: Uint8Array) => Uint8Array.of(...id, 1, 2)]) {
      const line = new VirtualLine(options);
      line.weather.pd = withPayload(line, 'ID', change);
      line.run(20_000);
      t.strictSame(line.statuses(), ['connecting', options === undefined ? 'online secure' : 'online']);
      t.strictSame(line.alarms(), []);
    }
  });

  t.test(`a PDCAP with a tail is read all the same (${name})`, async (t) => {
    const line = new VirtualLine(options);
    line.weather.pd = withPayload(line, 'CAP', (capabilities) => Uint8Array.of(...capabilities, 0, 0));
    line.run(1_000);
    t.match(line.replies('PDCAP'), [{ reply: { capabilities: PD_OPTIONS.capabilities } }]);
    t.equal(line.acu.receiveSize, 1440);
  });
}

t.test('a reader that answers a lost session with SQN 0 and the same bytes each time is back in < 1 s', async (t) => {
  const line = settled();
  line.feedPd({ kind: 'reset', nowMs: line.nowMs });
  const restart = encodeFrame({
    address: 0x65,
    reply: true,
    sequence: 0,
    check: 'crc',
    ...encodeReply({ name: 'ACK' }),
  });
  line.weather.pd = (bytes, nowMs) =>
    line.acu.phase.kind === 'secure' && line.pd.security.kind !== 'established'
      ? [{ bytes: restart, delayMs: 0 }]
      : pass(bytes, nowMs);
  line.runUntil(() => !line.online(), 200);
  t.ok(line.runUntil(() => line.online(), 1_000) < 1_000);
  t.strictSame(line.alarms(), ['ERR_OSDP_SECURE_LOST']);
});

for (const [compliance, reason] of [
  [0, 'ERR_OSDP_SECURE_UNSUPPORTED'],
  [1, 'ERR_OSDP_KEY_REJECTED'],
] as const) {
  t.test(`CHLNG answered by NAK 5, PDCAP 9 with ${compliance}: ${reason}`, async (t) => {
    const capabilities = [{ function: CAPABILITY.security, compliance, count: 0 }];
    const line = new VirtualLine({ pd: { capabilities, requireSecureChannel: false } });
    line.pd = { ...line.pd, scbk: undefined };
    line.run(60_000);
    t.strictSame(line.statuses(), ['connecting', `offline ${reason}`]);
    t.strictSame(line.alarms(), [reason]);
  });
}

for (const error of [2, 3, 5, 6, 7, 9, 0xff]) {
  t.test(`a PD that answers a question inside the session by NAK ${error} stays online`, async (t) => {
    const line = new VirtualLine();
    line.weather.pd = authentic(line, 'OSTAT', nak(error));
    line.run(20_000);
    t.strictSame(line.statuses(), ['connecting', 'online secure']);
    t.strictSame(line.alarms(), []);
  });
}

t.test('a PD that is busy beyond the deadline of a command is no tamper, one that stays silent is', async (t) => {
  const line = settled();
  line.feedPd({ kind: 'busy', nowMs: line.nowMs, count: 40 });
  line.command({ name: 'RSTAT' }, 1, { ttlMs: 2_000 });
  line.run(6_000);
  t.match(line.outcome(1), { outcome: { kind: 'unknown', reason: 'ERR_OSDP_DEADLINE' } });
  t.ok(line.online());
  t.strictSame(line.alarms(), []);
  line.run(9_000);
  line.command({ name: 'RSTAT' }, 2, { ttlMs: 2_000 });
  line.weather.pd = lose;
  line.run(20_000);
  t.strictSame(line.alarms(), ['ERR_OSDP_SECURE_LOST']);
});

t.test('an authentic BUSY is no acknowledgement', async (t) => {
  const line = settled();
  line.weather.pd = authentic(line, 'OUT', { name: 'BUSY' });
  line.command(unlock, 1, { urgent: true });
  line.run(500);
  t.match(line.outcome(1), { outcome: { kind: 'notExecuted', reason: 'ERR_OSDP_BUSY' } });
  t.ok(line.online());
});

t.test('the only PD of a line is found at the configuration address', async (t) => {
  const line = new VirtualLine();
  line.acu = createAcu({ address: CONFIGURATION_ADDRESS, secureChannel: { mode: 'required', scbk: SCBK } });
  line.run(1_000);
  t.strictSame(line.statuses(), ['connecting', 'online secure']);
});

t.test('a PD that is woken when it asked to be has then nothing left to do', async (t) => {
  for (let tenths = 0; tenths < 2_000; tenths += 1) {
    const nowMs = 1_000 + tenths * 0.1 + tenths / 7;
    const heard = stepPd(createPd(PD_OPTIONS), { kind: 'bytes', nowMs, bytes: CHALLENGE, rndB: new Uint8Array(8) });
    const half = stepPd(heard.state, { kind: 'bytes', nowMs, bytes: Uint8Array.of(0x53), rndB: new Uint8Array(8) });
    let { state } = half;
    for (let wakes = 0; wakes < 2; wakes += 1) {
      const atMs = nextTimeMs(state);
      if (atMs !== undefined) ({ state } = stepPd(state, { kind: 'time', nowMs: atMs }));
    }
    if (nextTimeMs(state) !== undefined) t.fail(`asked again at ${nowMs}`);
  }
  t.pass();
});
