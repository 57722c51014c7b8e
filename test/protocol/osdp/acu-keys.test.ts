import t from 'tap';
import {
  createAcu,
  decodeFrame,
  encodeFrame,
  encodeReply,
  nextTurnAtMs,
  OUTPUT_CODE,
  SCBK_DEFAULT,
  seal,
  type Reply,
  type SecureChannelPolicy,
  withMark,
} from '@sparc/protocol/osdp';
import { fromHex, toHex } from './osdp-vectors.js';
import { type Fault, lose, pass, replaced, SCBK, VirtualLine } from './virtual-line.js';

const NEW_KEY = Uint8Array.from({ length: 16 }, (_, index) => 0x5a ^ (index * index * 7));
const OTHER_KEY = Uint8Array.from({ length: 16 }, (_, index) => 200 - index * index);
const FACTORY = { requireSecureChannel: false, installMode: true } as const;
const unlock = { name: 'OUT', records: [{ output: 0, code: OUTPUT_CODE.temporaryOn, timerTicks: 30 }] } as const;
const KEYSET = { name: 'KEYSET', keyType: 1, key: NEW_KEY } as const;

/** A line to a PD that has no key and accepts SCBK-D. */
function factoryLine(secureChannel: SecureChannelPolicy): VirtualLine {
  const line = new VirtualLine({ secureChannel, pd: FACTORY });
  line.pd = { ...line.pd, scbk: undefined };
  return line;
}

const configure = (line: VirtualLine, secureChannel: SecureChannelPolicy): void =>
  line.feedAcu({ kind: 'configure', nowMs: line.nowMs, secureChannel });

const proven = (line: VirtualLine): string[] =>
  line.acuEffects.flatMap((effect) => (effect.kind === 'keyProven' ? [toHex(effect.scbk)] : []));

/** Of each CHLNG: 0 for SCBK-D, 1 for a key of the PD's own. */
const challenges = (line: VirtualLine): number[] =>
  line.sent.flatMap(({ from, bytes }) => {
    const frame = decodeFrame(bytes.subarray(1));
    const block = frame.ok ? frame.value.securityBlock : undefined;
    return from === 'acu' && block?.type === 0x11 ? [block.data[0] ?? -1] : [];
  });

/** Codes of the frames that the ACU has sealed under the session that is open. */
const sealedCodes = (line: VirtualLine): string[] => {
  const codes = line.sent.flatMap(({ from, bytes }) => {
    const frame = decodeFrame(bytes.subarray(1));
    return from === 'acu' && frame.ok && frame.value.mac !== undefined ? [frame.value.code.toString(16)] : [];
  });
  return [...new Set(codes)];
};

/** The fault strikes the first frame with this code, and what comes after it if it lasts. */
const striking =
  (code: number, fault: Fault, times = 1): Fault =>
  (bytes, nowMs) => {
    const frame = decodeFrame(bytes.subarray(1));
    if (!frame.ok || frame.value.code !== code || times === 0) return pass(bytes, nowMs);
    times -= 1;
    return fault(bytes, nowMs);
  };

t.test('a PD from the factory gets its key within a window, and comes online under it', async (t) => {
  const line = factoryLine({ mode: 'install', scbk: NEW_KEY, untilMs: 3_000 });
  const tookMs = line.runUntil(() => line.online(), 1_000);
  t.ok(tookMs < 500, `${tookMs} ms`);
  t.strictSame(proven(line), [toHex(NEW_KEY)]);
  t.strictSame(challenges(line), [1, 0, 1]);
  t.strictSame(line.statuses(), ['connecting', 'online secure']);
  t.strictSame(line.alarms(), []);
  t.strictSame(line.acu.secureChannel, { mode: 'required', scbk: NEW_KEY });
  line.run(5_000);
  t.equal(line.statuses().length, 2, 'the end of the window does not touch it');
});

t.test('under SCBK-D nothing but the key is sent, whatever waits', async (t) => {
  const line = factoryLine({ mode: 'install', scbk: NEW_KEY, untilMs: 60_000 });
  line.weather.pd = striking(0x78, (bytes) => [{ bytes, delayMs: 20 }]);
  line.runUntil(() => line.acu.phase.kind === 'installing', 1_000);
  line.command(unlock, 1, { urgent: true });
  line.weather.pd = lose;
  line.run(2_500);
  t.strictSame(sealedCodes(line), ['75']);
  line.weather.pd = pass;
  line.run(2_000);
  t.ok(line.online());
});

t.test('a key that the PD already has is proven without SCBK-D', async (t) => {
  const line = new VirtualLine({ secureChannel: { mode: 'install', scbk: SCBK, untilMs: 60_000 } });
  line.runUntil(() => line.online(), 1_000);
  t.strictSame(challenges(line), [1]);
  t.strictSame(proven(line), [toHex(SCBK)]);
});

t.test('whichever frame of the ceremony is lost, the PD has its key and the ACU knows it', async (t) => {
  const good = factoryLine({ mode: 'install', scbk: NEW_KEY, untilMs: 60_000 });
  good.runUntil(() => good.online(), 1_000);
  for (const from of ['acu', 'pd'] as const) {
    const framesCount = good.sent.filter((frame) => frame.from === from).length;
    for (let index = 0; index < framesCount; index += 1) {
      const line = factoryLine({ mode: 'install', scbk: NEW_KEY, untilMs: 60_000 });
      line.faults[from].push(...Array.from({ length: index }, () => pass), lose);
      line.runUntil(() => line.online(), 2_000);
      t.strictSame(proven(line), [toHex(NEW_KEY)], `frame ${index} of the ${from}`);
      t.strictSame(line.alarms(), []);
    }
  }
});

t.test('a PD that is reset before its ACK to KEYSET arrives is found under the new key', async (t) => {
  const line = factoryLine({ mode: 'install', scbk: NEW_KEY, untilMs: 60_000 });
  line.weather.pd = striking(0x40, lose);
  line.runUntil(() => line.pdEffects.some(({ kind }) => kind === 'key'), 1_000);
  line.feedPd({ kind: 'reset', nowMs: line.nowMs });
  line.runUntil(() => line.online(), 3_000);
  t.strictSame(proven(line), [toHex(NEW_KEY)]);
});

t.test('a PD that forgot the key before it was proven is given it again', async (t) => {
  const line = factoryLine({ mode: 'install', scbk: NEW_KEY, untilMs: 60_000 });
  line.weather.pd = striking(0x40, lose);
  line.runUntil(() => line.pdEffects.some(({ kind }) => kind === 'key'), 1_000);
  line.feedPd({ kind: 'reset', nowMs: line.nowMs });
  line.pd = { ...line.pd, scbk: undefined, installMode: true };
  line.runUntil(() => line.online(), 3_000);
  t.strictSame(proven(line), [toHex(NEW_KEY)]);
});

t.test(
  'a PD that acknowledges KEYSET and does not use the key is an alarm, and is not given it at line speed',
  async (t) => {
    const line = factoryLine({ mode: 'install', scbk: NEW_KEY, untilMs: 120_000 });
    const forgetful = (): void => {
      if (line.pd.scbk !== undefined) line.pd = { ...line.pd, scbk: undefined, installMode: true };
    };
    for (let elapsedMs = 0; elapsedMs < 60_000; elapsedMs += 1) {
      line.run(1);
      forgetful();
    }
    t.strictSame(line.alarms(), ['ERR_OSDP_KEY_REJECTED']);
    t.ok(line.pdEffects.filter(({ kind }) => kind === 'key').length < 10);
    t.strictSame(proven(line), []);
  },
);

t.test('a PD that refuses the key is an alarm with its reason', async (t) => {
  const line = factoryLine({ mode: 'install', scbk: NEW_KEY, untilMs: 60_000 });
  line.pd = { ...line.pd, installMode: true };
  line.weather.acu = (bytes, nowMs) => {
    // Out of install mode between the session and the key.
    if (line.acu.phase.kind === 'installing') line.pd = { ...line.pd, installMode: false };
    return pass(bytes, nowMs);
  };
  line.run(2_000);
  t.match(line.statuses().at(-1), 'offline ERR_OSDP_NAK');
});

t.test('a window without a key gives a session for commands; none of its replies counts as secure', async (t) => {
  const line = factoryLine({ mode: 'install', untilMs: 20_000 });
  line.runUntil(() => line.online(), 1_000);
  t.strictSame(challenges(line), [0]);
  t.strictSame(line.statuses(), ['connecting', 'online']);
  line.event({ kind: 'card', reader: 0, format: 1, bitCount: 26, bits: Uint8Array.of(1, 2, 3, 64) });
  line.command({ name: 'COMSET', address: 9, baudRate: 9_600 }, 1);
  line.command(KEYSET, 2);
  line.run(1_000);
  t.match(line.replies('RAW'), [{ secure: false }]);
  t.match(line.outcome(1), { outcome: { kind: 'acknowledged', reply: { name: 'COM', address: 9 } } });
  t.match(line.outcome(2), { outcome: { kind: 'notExecuted', reason: 'ERR_OSDP_COMMAND_REFUSED' } });
  t.match(
    line.acuEffects.filter((effect) => effect.kind === 'communication'),
    [{ address: 9, baudRate: 9_600 }],
  );
  t.strictSame(proven(line), []);
  t.strictSame(line.alarms(), []);
});

t.test('at the end of the window a session under SCBK-D ends, and no other is ever opened', async (t) => {
  const line = factoryLine({ mode: 'install', untilMs: 5_000 });
  line.runUntil(() => line.online(), 1_000);
  line.command({ name: 'RSTAT' }, 1, { ttlMs: 60_000 });
  line.weather.pd = lose;
  line.runUntil(() => !line.online(), 5_000);
  line.weather.pd = pass;
  t.ok(line.nowMs >= 5_000 && line.nowMs <= 5_002, `${line.nowMs}`);
  t.match(line.statuses().at(-1), 'offline ERR_OSDP_WINDOW_CLOSED');
  t.match(line.outcome(1), { outcome: { reason: 'ERR_OSDP_WINDOW_CLOSED' } });
  const before = line.sent.length;
  line.run(120_000);
  line.feedAcu({ kind: 'lineDown', nowMs: line.nowMs });
  line.run(60_000);
  t.equal(line.sent.length, before, 'and nothing more is said');
  t.equal(nextTurnAtMs(line.acu), Infinity);
});

t.test('a window that ends in the middle of each step never leaves a session under SCBK-D behind', async (t) => {
  for (let lengthMs = 1; lengthMs < 60; lengthMs += 1) {
    const line = factoryLine({ mode: 'install', scbk: NEW_KEY, untilMs: 1_000 + lengthMs });
    line.run(lengthMs + 1);
    const before = challenges(line).length;
    line.run(3_000);
    t.notOk(challenges(line).slice(before).includes(0), `after ${lengthMs} ms`);
    const { phase } = line.acu;
    t.ok(phase.kind !== 'installing' && (phase.kind !== 'secure' || phase.trusted));
    // A PD that had its key in time is not lost with the window.
    t.equal(line.online(), line.pd.scbk !== undefined);
  }
});

t.test('outside a window a PD that offers SCBK-D gets neither a session nor a key', async (t) => {
  const line = factoryLine({ mode: 'required', scbk: NEW_KEY, formerScbk: SCBK });
  line.run(60_000);
  t.ok(challenges(line).every((selection) => selection === 1));
  t.strictSame(sealedCodes(line), []);
  t.strictSame(line.alarms(), ['ERR_OSDP_KEY_REJECTED']);
});

for (const [name, pdKey] of Object.entries({ new: NEW_KEY, former: SCBK })) {
  t.test(`of two keys the ${name} one is found at once, told, and the only one from then on`, async (t) => {
    const line = new VirtualLine({
      secureChannel: { mode: 'required', scbk: NEW_KEY, formerScbk: SCBK },
      pd: { scbk: pdKey },
    });
    const tookMs = line.runUntil(() => line.online(), 1_000);
    t.ok(tookMs < 100, `${tookMs} ms`);
    t.strictSame(proven(line), [toHex(pdKey)]);
    t.strictSame(line.acu.secureChannel, { mode: 'required', scbk: pdKey });
    t.strictSame(line.alarms(), []);
    line.feedPd({ kind: 'reset', nowMs: line.nowMs });
    line.run(2_000);
    t.ok(line.online());
    t.equal(proven(line).length, 1, 'told once');
  });
}

t.test('a device that refuses both keys is an alarm and stays offline', async (t) => {
  const line = new VirtualLine({
    secureChannel: { mode: 'required', scbk: NEW_KEY, formerScbk: SCBK },
    pd: { scbk: OTHER_KEY },
  });
  line.run(10_000);
  t.strictSame(line.alarms(), ['ERR_OSDP_KEY_REJECTED']);
  t.match(line.statuses().at(-1), 'offline ERR_OSDP_KEY_REJECTED');
  t.strictSame(line.acu.secureChannel, { mode: 'required', scbk: NEW_KEY, formerScbk: SCBK }, 'both are kept');
});

t.test('KEYSET in a session: the new key is proven by the next one', async (t) => {
  const line = new VirtualLine();
  line.runUntil(() => line.online(), 1_000);
  line.command(KEYSET, 1);
  line.run(1_000);
  t.match(line.outcome(1), { outcome: { kind: 'acknowledged' } });
  t.strictSame(proven(line), [toHex(SCBK), toHex(NEW_KEY)]);
  t.ok(line.online());
  t.strictSame(line.alarms(), []);
});

for (const executed of [true, false]) {
  t.test(`KEYSET whose answers are lost, ${executed ? '' : 'not '}executed: the right key is found`, async (t) => {
    const line = new VirtualLine();
    line.runUntil(() => line.online(), 1_000);
    line.run(10_000);
    line.runUntil(() => !line.acu.inTurn, 100);
    line.weather[executed ? 'pd' : 'acu'] = lose;
    line.command(KEYSET, 1, { urgent: true, ttlMs: 1_000 });
    line.run(1_200);
    line.weather.pd = line.weather.acu = pass;
    line.runUntil(() => line.online(), 3_000);
    t.match(line.outcome(1), { outcome: { kind: 'unknown' } });
    const key = executed ? NEW_KEY : SCBK;
    t.equal(proven(line).at(-1), toHex(key));
    t.strictSame(line.acu.secureChannel, { mode: 'required', scbk: key });
  });
}

const ODD_ANSWERS = {
  'a report': encodeReply({ name: 'LSTATR', tampered: false, powerFailed: false }),
  'what nobody can read': { code: 0x40, payload: Uint8Array.of(1) },
} as const;

for (const [name, answer] of Object.entries(ODD_ANSWERS)) {
  t.test(`KEYSET that is answered by ${name} inside the session: the right key is found`, async (t) => {
    const line = new VirtualLine();
    line.runUntil(() => line.online(), 1_000);
    line.weather.pd = (bytes, nowMs) => {
      const { exchange } = line.acu;
      if (exchange?.command.name !== 'KEYSET' || exchange.session === undefined) return pass(bytes, nowMs);
      const { sequence, session } = exchange;
      const frame = { address: 0x65, reply: true, sequence, check: 'crc', ...answer } as const;
      return pass(withMark(seal(session, frame).bytes), nowMs);
    };
    line.command(KEYSET, 7);
    line.runUntil(() => proven(line).includes(toHex(NEW_KEY)), 3_000);
    line.runUntil(() => line.online(), 1_000);
    t.strictSame(line.alarms(), []);
  });
}

t.test('a PD that vanishes after KEYSET, before it has opened a session, has lost Secure Channel', async (t) => {
  const line = new VirtualLine();
  line.runUntil(() => line.online(), 1_000);
  line.command(KEYSET, 7);
  line.runUntil(() => line.outcome(7) !== undefined, 1_000);
  line.weather.pd = lose;
  line.run(12_000);
  t.equal(line.statuses().at(-1), 'offline ERR_OSDP_SILENT');
  t.strictSame(line.alarms(), ['ERR_OSDP_SECURE_LOST']);
});

t.test('a PD that acknowledges KEYSET in clear is believed by its next session alone', async (t) => {
  for (const taken of [true, false]) {
    const line = new VirtualLine();
    line.runUntil(() => line.online(), 1_000);
    line.run(10_000).runUntil(() => !line.acu.inTurn, 100);
    const sequence = (((line.acu.sequence ?? 0) % 3) + 1) as 1 | 2 | 3;
    const ack: Reply = { name: 'ACK' };
    const clear = encodeFrame({ address: 0x65, reply: true, sequence, check: 'crc', ...encodeReply(ack) });
    line.faults.pd.push(replaced(clear));
    if (!taken) line.faults.acu.push(lose);
    if (!taken) line.inject('acu', clear, 5);
    line.command(KEYSET, 1, { urgent: true });
    line.run(2_000);
    t.ok(line.online());
    t.equal(proven(line).at(-1), toHex(taken ? NEW_KEY : SCBK));
    t.strictSame(line.alarms(), []);
    t.equal(line.acuEffects.filter(({ kind }) => kind === 'notice').length, 1);
  }
});

t.test('a policy takes effect at once, and no command outlives the change', async (t) => {
  const line = new VirtualLine();
  line.runUntil(() => line.online(), 1_000);
  line.run(1_000).runUntil(() => !line.acu.inTurn, 100);
  line.pd = { ...line.pd, scbk: NEW_KEY };
  line.weather.pd = lose;
  line.command(unlock, 1, { urgent: true });
  line.run(20);
  line.command({ name: 'RSTAT' }, 2);
  line.weather.pd = pass;
  configure(line, { mode: 'required', scbk: NEW_KEY, formerScbk: SCBK });
  t.match(line.outcome(1), { outcome: { kind: 'unknown', reason: 'ERR_OSDP_RESTARTED' } });
  t.match(line.outcome(2), { outcome: { kind: 'notExecuted', reason: 'ERR_OSDP_RESTARTED' } });
  const tookMs = line.runUntil(() => line.online(), 1_000);
  t.ok(tookMs < 100, `${tookMs} ms`);
  t.equal(proven(line).at(-1), toHex(NEW_KEY));
  t.strictSame(line.alarms(), [], 'what a person does is no tamper');
});

t.test('a standing refusal is over with the next policy', async (t) => {
  const line = new VirtualLine({ pd: { scbk: OTHER_KEY } });
  line.run(100_000);
  configure(line, { mode: 'required', scbk: OTHER_KEY });
  t.ok(line.runUntil(() => line.online(), 1_000) < 100);
});

t.test('an address from outside, as after a COMSET that was rolled back', async (t) => {
  const line = new VirtualLine();
  line.runUntil(() => line.online(), 1_000);
  line.feedAcu({ kind: 'configure', nowMs: line.nowMs, address: 9 });
  line.run(1_000);
  t.notOk(line.online());
  line.feedAcu({ kind: 'configure', nowMs: line.nowMs, address: 0x65 });
  t.ok(line.runUntil(() => line.online(), 1_000) < 100);
  t.throws(() => line.feedAcu({ kind: 'configure', nowMs: line.nowMs, address: 128 }), { code: 'ERR_OSDP_VALUE' });
});

t.test(
  'keys that somebody could guess are refused wherever they come from, and their bytes are not told',
  async (t) => {
    const weak = [
      SCBK_DEFAULT,
      new Uint8Array(16),
      new Uint8Array(16).fill(0xa5),
      Uint8Array.from({ length: 16 }, (_, index) => index),
      Uint8Array.from({ length: 16 }, (_, index) => 0x0f - index),
      fromHex('00112233445566778899aabbccddeeff'),
      fromHex('0123456789abcdeffedcba9876543210'),
    ];
    const line = new VirtualLine();
    line.runUntil(() => line.online(), 1_000);
    weak.forEach((scbk, token) => {
      for (const secureChannel of [
        { mode: 'required', scbk },
        { mode: 'required', scbk: SCBK, formerScbk: scbk },
        { mode: 'install', scbk, untilMs: 60_000 },
      ] as const) {
        const refusal = { code: 'ERR_OSDP_KEY_WEAK' };
        t.throws(() => createAcu({ address: 1, secureChannel }), refusal);
        t.throws(() => configure(line, secureChannel), refusal);
      }
      line.command({ name: 'KEYSET', keyType: 1, key: scbk }, token);
      t.match(line.outcome(token), { outcome: { kind: 'notExecuted', reason: 'ERR_OSDP_KEY_WEAK' } });
      t.notMatch(JSON.stringify(line.outcome(token)), toHex(scbk));
    });
    t.throws(() => createAcu({ address: 1, secureChannel: { mode: 'required', scbk: new Uint8Array(15) } }), {
      code: 'ERR_OSDP_VALUE',
    });
    t.ok(line.online(), 'a refused policy changes nothing');
  },
);
