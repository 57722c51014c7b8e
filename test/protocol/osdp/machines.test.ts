import t from 'tap';
import fc from 'fast-check';
import { ERRORS, type ErrorCode } from '@sparc/protocol/errors';
import {
  decodeFrame,
  encodeFrame,
  encodeReply,
  type LedRecord,
  nextTurnAtMs,
  type OsdpErrorCode,
  stepAcu,
} from '@sparc/protocol/osdp';
import { checkProperty } from '../../support/property.js';
import { readRepositoryFile, repositoryFiles } from '../../support/repository.js';
import { anyReply } from './arbitraries.js';
import { toHex } from './osdp-vectors.js';
import { corrupt, duplicated, late, lose, SCBK, VirtualLine } from './virtual-line.js';

const card = { kind: 'card', reader: 0, format: 1, bitCount: 26, bits: Uint8Array.of(0x3f, 0x8a, 0x21, 0xc0) } as const;
const unlock = { name: 'OUT', records: [{ output: 0, code: 5, timerTicks: 30 }] } as const;

/** A line whose PD has been online for a while. */
function settled(options?: ConstructorParameters<typeof VirtualLine>[0]): VirtualLine {
  const line = new VirtualLine(options);
  line.runUntil(() => line.online(), 1_000);
  return line.run(1_000);
}

t.test('a PD comes online under Secure Channel, and its state is known', async (t) => {
  const line = settled();
  t.strictSame(line.statuses(), ['connecting', 'online secure']);
  for (const name of ['PDID', 'PDCAP', 'ISTATR', 'OSTATR', 'LSTATR']) {
    const [reply] = line.replies(name);
    t.match(reply, { secure: true }, name);
  }
  t.strictSame(line.alarms(), []);
  t.equal(line.acu.receiveSize, 1440);
});

t.test('a PD comes online in clear where the configuration says so', async (t) => {
  const line = settled({ secureChannel: { mode: 'clear' }, pd: { requireSecureChannel: false } });
  t.strictSame(line.statuses(), ['connecting', 'online']);
  line.event(card);
  line.run(200);
  t.match(line.replies('RAW'), [{ secure: false }]);
});

t.test('a card is reported once, with a bound on its age', async (t) => {
  const line = settled();
  line.event(card);
  line.run(300);
  const [read, ...others] = line.replies('RAW');
  t.match(read, { secure: true, reply: { name: 'RAW', bitCount: 26 } });
  t.ok(read?.kind === 'reply' && read.ageMaxMs <= 60, 'one poll interval and the way');
  t.equal(others.length, 0);
});

t.test('several reports of one PD come in order, each with the age of the oldest empty poll', async (t) => {
  const line = settled();
  for (const number of [0, 1, 2]) line.event({ kind: 'input', number, status: 1 });
  line.event(card);
  line.run(200);
  const ages = line.acuEffects.slice(-40).flatMap((effect) => (effect.kind === 'reply' ? [effect.ageMaxMs] : []));
  t.equal(ages.length, 4);
  t.same(
    ages,
    [...ages].sort((a, b) => a - b),
  );
});

t.test('an unlock goes at the next turn, before anything else that waits', async (t) => {
  const line = settled();
  for (let token = 0; token < 5; token += 1) line.command({ name: 'RSTAT' }, token);
  line.command(unlock, 99, { urgent: true });
  line.run(300);
  t.match(line.outcome(99), { outcome: { kind: 'acknowledged', reply: { name: 'OSTATR', outputs: [1, 0] } } });
  const order = line.acuEffects.flatMap((effect) => (effect.kind === 'commandDone' ? [effect.token] : []));
  t.equal(order[0], 99);
  t.equal(order.length, 6);
});

t.test('a timed output ends by itself and the ACU hears of it', async (t) => {
  const line = settled();
  line.command(unlock, 1, { urgent: true });
  line.run(3_500);
  const outputs = line.pdEffects.filter((effect) => effect.kind === 'output');
  t.match(outputs, [
    { number: 0, active: true },
    { number: 0, active: false },
  ]);
  t.equal((outputs[1]?.atMs ?? 0) - (outputs[0]?.atMs ?? 0), 3_000);
  t.match(line.replies('OSTATR').at(-1), { reply: { outputs: [0, 0] } });
});

for (const [name, fault] of Object.entries({ lost: lose, corrupted: corrupt, late: late(250), duplicated })) {
  for (const from of ['acu', 'pd'] as const) {
    for (const secure of [true, false]) {
      t.test(
        `one ${name} frame of the ${from}, ${secure ? 'secure' : 'clear'}: a card still arrives once, in < 1 s`,
        async (t) => {
          const line = secure
            ? settled()
            : settled({ secureChannel: { mode: 'clear' }, pd: { requireSecureChannel: false } });
          line.event(card);
          line.faults[from].push(fault);
          line.runUntil(() => line.replies('RAW').length > 0, 1_000);
          line.run(3_000);
          t.equal(line.replies('RAW').length, 1);
          t.strictSame(line.alarms(), []);
          t.ok(line.online());
          t.notOk(line.statuses().some((status) => status.startsWith('offline')));
        },
      );

      t.test(
        `one ${name} frame of the ${from}, ${secure ? 'secure' : 'clear'}: an unlock is executed exactly once`,
        async (t) => {
          const line = secure
            ? settled()
            : settled({ secureChannel: { mode: 'clear' }, pd: { requireSecureChannel: false } });
          line.runUntil(() => !line.acu.inTurn, 100);
          line.command(unlock, 7, { urgent: true });
          line.faults[from].push(fault);
          line.run(1_000);
          t.match(line.outcome(7), { outcome: { kind: 'acknowledged' } });
          t.equal(line.pdEffects.filter((effect) => effect.kind === 'output').length, 1);
          t.strictSame(line.alarms(), []);
        },
      );
    }
  }
}

t.test('a repeat is byte-identical', async (t) => {
  const line = settled();
  line.runUntil(() => !line.acu.inTurn, 100);
  line.faults.pd.push(lose);
  const before = line.sent.length;
  line.run(500);
  const [first, second] = line.sent.slice(before).filter(({ from }) => from === 'acu');
  const repeats = line.sent.filter(
    ({ from, bytes }, index, all) =>
      from === 'acu' && all.slice(0, index).some((other) => toHex(other.bytes) === toHex(bytes)),
  );
  t.ok(first !== undefined && second !== undefined);
  t.equal(repeats.length, 1);
});

t.test('every fault in the handshake itself is survived, in < 1 s', async (t) => {
  for (const fault of [lose, corrupt, duplicated, late(250)]) {
    for (const from of ['acu', 'pd'] as const) {
      for (const skipped of [1, 2]) {
        const line = new VirtualLine();
        line.faults[from].push(...Array.from({ length: skipped }, () => late(0)), fault);
        const tookMs = line.runUntil(() => line.online(), 1_000);
        line.run(2_000);
        t.ok(line.online(), `${tookMs} ms`);
        t.strictSame(line.alarms(), []);
      }
    }
  }
});

t.test('a PD that was reset is back under Secure Channel in < 1 s, and its loss was told', async (t) => {
  const line = settled();
  line.run(10_000);
  line.feedPd({ kind: 'reset', nowMs: line.nowMs });
  line.runUntil(() => !line.online(), 100);
  const tookMs = line.runUntil(() => line.online(), 1_000);
  t.ok(tookMs < 1_000);
  t.strictSame(line.alarms(), ['ERR_OSDP_SECURE_LOST']);
  t.strictSame(line.statuses().slice(-2), ['connecting ERR_OSDP_SECURE_LOST', 'online secure']);
});

t.test('a clear PD that was reset answers NAK 4 and is back in < 1 s', async (t) => {
  const line = settled({ secureChannel: { mode: 'clear' }, pd: { requireSecureChannel: false } });
  line.feedPd({ kind: 'reset', nowMs: line.nowMs });
  line.runUntil(() => !line.online(), 100);
  line.runUntil(() => line.online(), 1_000);
  t.strictSame(line.alarms(), []);
});

t.test('a command that a reset clear PD refused by its sequence number is sent again', async (t) => {
  const line = settled({ secureChannel: { mode: 'clear' }, pd: { requireSecureChannel: false } });
  line.runUntil(() => !line.acu.inTurn, 100);
  line.feedPd({ kind: 'reset', nowMs: line.nowMs });
  line.command(unlock, 1, { urgent: true });
  line.run(1_000);
  t.match(line.outcome(1), { outcome: { kind: 'acknowledged' } });
});

t.test('sessions that do not last are negotiated again ever more slowly', async (t) => {
  const line = settled();
  const challenges = () => line.sent.filter(({ bytes }) => toHex(bytes).includes('03110176')).length;
  for (let round = 0; round < 120; round += 1) {
    line.feedPd({ kind: 'reset', nowMs: line.nowMs });
    line.run(500);
  }
  t.ok(challenges() <= 8, `${challenges()} handshakes in a minute`);
});

t.test('BUSY is followed by the same frame with the same sequence number', async (t) => {
  const line = settled();
  line.feedPd({ kind: 'busy', nowMs: line.nowMs, count: 3 });
  line.event(card);
  line.run(1_000);
  t.equal(line.replies('RAW').length, 1);
  t.strictSame(line.alarms(), []);
});

t.test('BUSY for ever is bounded: after 8 s the PD is offline, with that reason', async (t) => {
  const line = settled();
  line.feedPd({ kind: 'busy', nowMs: line.nowMs, count: 1_000_000 });
  line.run(9_000);
  t.match(line.statuses().at(-1), 'offline ERR_OSDP_BUSY');
});

t.test('a silent PD is offline after 8 s; commands end as what they are', async (t) => {
  const line = settled();
  line.runUntil(() => !line.acu.inTurn, 100);
  line.weather.pd = lose;
  line.command(unlock, 1, { urgent: true, ttlMs: 60_000 });
  line.run(100);
  line.command({ name: 'RSTAT' }, 2, { ttlMs: 60_000 });
  line.run(9_500);
  t.match(line.statuses().at(-1), 'offline ERR_OSDP_SILENT');
  t.match(line.outcome(1), { outcome: { kind: 'unknown', reason: 'ERR_OSDP_SILENT' } });
  t.match(line.outcome(2), { outcome: { kind: 'notExecuted', reason: 'ERR_OSDP_SILENT' } });
  line.command(unlock, 3, { urgent: true });
  t.match(line.outcome(3), { outcome: { kind: 'notExecuted', reason: 'ERR_OSDP_SILENT' } });
  t.strictSame(line.alarms(), ['ERR_OSDP_SECURE_LOST']);
});

t.test('an offline PD is probed with growing pauses and without repeats, and found again', async (t) => {
  const line = new VirtualLine();
  line.weather.pd = lose;
  line.run(60_000);
  const probes = line.sent.filter(({ from }) => from === 'acu').map(({ atMs }) => atMs);
  const pauses = probes.slice(1).map((atMs, index) => Math.floor((atMs - (probes[index] ?? 0)) / 500) / 2);
  t.strictSame(pauses.slice(0, 6), [0.5, 1, 2, 4, 8, 10]);
  line.weather.pd = (bytes) => [{ bytes, delayMs: 0 }];
  line.runUntil(() => line.online(), 11_000);
});

t.test('an unlock is never repeated after its deadline', async (t) => {
  const line = settled();
  line.runUntil(() => !line.acu.inTurn, 100);
  line.weather.acu = lose;
  line.command(unlock, 1, { urgent: true, ttlMs: 500 });
  line.run(1_500);
  line.weather.acu = (bytes) => [{ bytes, delayMs: 0 }];
  line.run(5_000);
  t.ok(line.online());
  t.match(line.outcome(1), { outcome: { kind: 'unknown' } });
  t.equal(line.pdEffects.filter((effect) => effect.kind === 'output').length, 0);
});

t.test('a command that waited past its deadline is not sent', async (t) => {
  const line = settled();
  line.weather.pd = lose;
  line.run(300);
  line.command(unlock, 1, { urgent: true, ttlMs: 100 });
  line.run(300);
  t.match(line.outcome(1), { outcome: { kind: 'notExecuted', reason: 'ERR_OSDP_DEADLINE' } });
});

t.test('a refused command says why, and the link stays', async (t) => {
  const line = settled();
  line.command({ name: 'OUT', records: [{ output: 9, code: 5, timerTicks: 30 }] }, 1);
  line.command({ name: 'MFG', vendor: '000000', data: new Uint8Array(0) }, 2);
  line.run(500);
  t.match(line.outcome(1), { outcome: { kind: 'notExecuted', reason: 'ERR_OSDP_NAK', detail: /NAK 9/ } });
  t.match(line.outcome(2), { outcome: { kind: 'notExecuted', reason: 'ERR_OSDP_NAK', detail: /NAK 3/ } });
  t.ok(line.online());
  t.strictSame(line.alarms(), []);
});

t.test('commands that cannot be sent are refused at the door', async (t) => {
  const line = settled();
  const reason = (token: number) => {
    const done = line.outcome(token);
    return done?.kind === 'commandDone' && done.outcome.kind === 'notExecuted' ? done.outcome.reason : undefined;
  };
  line.command({ name: 'CHLNG', rndA: new Uint8Array(8) }, 1);
  line.command({ name: 'KEYSET', keyType: 1, key: Uint8Array.from({ length: 16 }, (_, i) => 0x30 + i) }, 2);
  line.command({ name: 'OUT', records: [] }, 3);
  line.command({ name: 'POLL' }, 4, { ttlMs: -1 });
  line.command({ name: 'MFG', vendor: '000000', data: new Uint8Array(200_000) }, 5);
  for (let token = 10; token < 50; token += 1) line.command({ name: 'RSTAT' }, token);
  t.equal(reason(1), 'ERR_OSDP_COMMAND_REFUSED');
  t.equal(reason(2), 'ERR_OSDP_KEY_WEAK');
  t.equal(reason(3), 'ERR_OSDP_VALUE');
  t.equal(reason(4), 'ERR_OSDP_DEADLINE');
  t.equal(reason(5), 'ERR_OSDP_LENGTH');
  t.equal(reason(49), 'ERR_OSDP_QUEUE_FULL');
});

t.test('a command longer than the PD takes is not sent', async (t) => {
  const line = settled({ pd: { capabilities: [] } });
  line.command({ name: 'MFG', vendor: '000000', data: new Uint8Array(120) }, 1);
  line.run(300);
  t.match(line.outcome(1), { outcome: { kind: 'notExecuted', reason: 'ERR_OSDP_LENGTH' } });
  t.ok(line.online());
});

t.test('a stream of commands does not silence the reader', async (t) => {
  const line = settled();
  line.event(card);
  const startMs = line.nowMs;
  for (let token = 0; token < 30; token += 1) line.command({ name: 'RSTAT' }, token);
  line.runUntil(() => line.replies('RAW').length > 0, 500);
  t.ok(line.nowMs - startMs < 150);
});

t.test('KEYSET: the new key is stored by the PD and used at once, without an alarm', async (t) => {
  const line = settled();
  const key = Uint8Array.from({ length: 16 }, (_, index) => 0xf0 - index * index);
  line.command({ name: 'KEYSET', keyType: 1, key }, 1);
  line.run(1_000);
  t.match(line.outcome(1), { outcome: { kind: 'acknowledged' } });
  t.match(
    line.pdEffects.filter((effect) => effect.kind === 'key'),
    [{ scbk: key }],
  );
  t.ok(line.online());
  t.strictSame(line.alarms(), []);
  line.feedPd({ kind: 'reset', nowMs: line.nowMs });
  line.run(2_000);
  t.ok(line.online(), 'the key survives a reset');
});

t.test('a key is never sent in clear', async (t) => {
  const line = settled({ secureChannel: { mode: 'clear' }, pd: { requireSecureChannel: false } });
  line.command({ name: 'KEYSET', keyType: 1, key: SCBK }, 1);
  t.match(line.outcome(1), { outcome: { kind: 'notExecuted', reason: 'ERR_OSDP_COMMAND_REFUSED' } });
});

t.test('COMSET: the reply comes from the old address, the next session is at the new one', async (t) => {
  const line = settled();
  line.command({ name: 'COMSET', address: 3, baudRate: 115_200 }, 1);
  line.run(1_000);
  t.match(line.outcome(1), {
    outcome: { kind: 'acknowledged', reply: { name: 'COM', address: 3, baudRate: 115_200 } },
  });
  t.match(
    line.pdEffects.filter((effect) => effect.kind === 'communication'),
    [{ address: 3, baudRate: 115_200 }],
  );
  t.ok(line.online());
  const last = line.sent.at(-1);
  const frame = decodeFrame((last?.bytes ?? new Uint8Array(0)).slice(1));
  t.equal(frame.ok && frame.value.address, 3);
  t.strictSame(line.alarms(), []);
});

t.test('a line that goes down ends everything at once, and the PD is back when it is', async (t) => {
  const line = settled();
  line.runUntil(() => line.acu.inTurn, 100);
  line.command(unlock, 1, { urgent: true });
  line.feedAcu({ kind: 'lineDown', nowMs: line.nowMs });
  t.match(line.outcome(1), { outcome: { kind: 'notExecuted', reason: 'ERR_OSDP_LINE_DOWN' } });
  t.match(line.statuses().at(-1), 'offline ERR_OSDP_LINE_DOWN');
});

t.test('LED, buzzer and text reach the device, temporary patterns end', async (t) => {
  const line = settled();
  const led: LedRecord = {
    reader: 0,
    led: 0,
    temporary: { code: 2, onTicks: 1, offTicks: 1, onColor: 2, offColor: 0, timerTicks: 10 },
    permanent: { code: 1, onTicks: 1, offTicks: 0, onColor: 1, offColor: 0 },
  };
  line.command({ name: 'LED', records: [led] }, 1);
  line.command({ name: 'BUZ', reader: 0, tone: 2, onTicks: 2, offTicks: 1, count: 3 }, 2);
  line.command({ name: 'TEXT', reader: 0, command: 3, temporarySeconds: 5, row: 1, column: 1, text: 'HELLO' }, 3);
  line.run(2_000);
  t.match(
    line.pdEffects.filter((effect) => effect.kind === 'led'),
    [
      { pattern: { onColor: 2, onMs: 100, offMs: 100 }, temporary: true },
      { pattern: { onColor: 1, offMs: 0 }, temporary: false },
    ],
  );
  t.match(
    line.pdEffects.filter((effect) => effect.kind === 'buzzer'),
    [{ sounding: true, onMs: 200, offMs: 100, count: 3 }],
  );
  t.match(
    line.pdEffects.filter((effect) => effect.kind === 'text'),
    [{ text: 'HELLO', durationMs: 5_000, wrapped: false }],
  );
});

t.test('on a slow bus, where every poll is late, commands and polls take turns', async (t) => {
  let acu = settled().acu;
  const sent: string[] = [];
  let nowMs = 100_000;
  const enqueue = (token: number) => {
    const input = {
      kind: 'enqueue',
      nowMs,
      command: { name: 'RSTAT' },
      token,
      deadlineMs: 1e9,
      priority: 'normal',
    } as const;
    acu = stepAcu(acu, input).state;
  };
  for (const token of [1, 2, 3]) enqueue(token);
  for (let turn = 0; turn < 6; turn += 1) {
    nowMs += 1_000;
    acu = { ...stepAcu(acu, { kind: 'turn', nowMs, rndA: new Uint8Array(8) }).state, inTurn: false };
    sent.push(acu.exchange?.command.name ?? 'nothing');
    acu = { ...acu, exchange: undefined };
  }
  t.equal(sent.filter((name) => name === 'RSTAT').length, 3);
  t.equal(sent.filter((name) => name === 'POLL').length, 3);
});

t.test('every code that the machines report is in the registry of errors', async (t) => {
  const used = new Set<string>();
  for (const path of repositoryFiles().filter(
    (name) => /^protocol\/osdp\/.*\.ts$/.test(name) && !name.endsWith('error-codes.ts'),
  )) {
    for (const [code] of readRepositoryFile(path).matchAll(/ERR_OSDP_[A-Z_]+/g)) used.add(code);
  }
  t.strictSame(
    [...used].sort(),
    Object.keys(ERRORS)
      .filter((code) => code.startsWith('ERR_OSDP_'))
      .sort(),
  );
  const typed: OsdpErrorCode extends ErrorCode ? true : false = true;
  t.ok(typed);
});

t.test('whatever a PD answers in clear, the machine goes on', async (t) => {
  checkProperty(
    fc.property(fc.array(fc.tuple(anyReply, fc.nat(3)), { maxLength: 20 }), (answers) => {
      const line = new VirtualLine({ secureChannel: { mode: 'clear' } });
      line.weather.pd = lose;
      for (const [reply, sequence] of answers) {
        line.nowMs = Math.max(line.nowMs, nextTurnAtMs(line.acu));
        line.feedAcu({ kind: 'turn', nowMs: line.nowMs, rndA: new Uint8Array(8) });
        const answer = { address: 0x65, reply: true, check: 'crc', ...encodeReply(reply) } as const;
        for (const sqn of [sequence as 0 | 1 | 2 | 3, line.acu.exchange?.sequence ?? 0]) {
          const bytes = encodeFrame({ ...answer, sequence: sqn, address: line.acu.address });
          line.feedAcu({ kind: 'frame', nowMs: line.nowMs, bytes });
        }
        line.command(unlock, 1);
        line.feedAcu({ kind: 'replyTimeout', nowMs: line.nowMs });
      }
    }),
  );
  t.pass();
});
