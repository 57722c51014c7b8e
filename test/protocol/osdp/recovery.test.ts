import t from 'tap';
import { decodeFrame, encodeFrame, encodeReply, type Reply, seal } from '@sparc/protocol/osdp';
import { MODES } from './single-fault.js';
import { corrupt, duplicated, type Fault, late, lose, pass, VirtualLine } from './virtual-line.js';

/**
 * What each accident of section "others do it wrong" costs: from the accident to the next unlock that is acknowledged.
 * libosdp takes 1 s to 300 s for them.
 */
const COST_MAX_MS = 1_000;
const UNLOCK = { name: 'OUT', records: [{ output: 0, code: 5, timerTicks: 5 }] } as const;

type Mode = 'secure' | 'clear';

/** The answer becomes this one in clear, with the SQN of the answer that it replaces. */
const inClear =
  (reply: Reply, sequence?: 0): Fault =>
  (bytes) => {
    const frame = decodeFrame(bytes.subarray(1));
    if (!frame.ok) return [];
    const answer = { address: 0x65, reply: true, sequence: sequence ?? frame.value.sequence, check: 'crc' } as const;
    return [{ bytes: encodeFrame({ ...answer, ...encodeReply(reply) }), delayMs: 0 }];
  };

/** The answer becomes this one, under the session where there is one. */
const authentic =
  (line: VirtualLine, reply: Reply): Fault =>
  (bytes, nowMs) => {
    const { exchange } = line.acu;
    if (exchange?.session === undefined) return inClear(reply)(bytes, nowMs);
    const { session, sequence } = exchange;
    const sealed = seal(session, { address: 0x65, reply: true, sequence, check: 'crc', ...encodeReply(reply) });
    const { security } = line.pd;
    if (security.kind === 'established') line.pd = { ...line.pd, security: { ...security, session: sealed.session } };
    return [{ bytes: sealed.bytes, delayMs: 0 }];
  };

const nak = (error: number): Reply => ({ name: 'NAK', error, details: new Uint8Array(0) });

const ACCIDENTS: Readonly<Record<string, (line: VirtualLine) => unknown>> = {
  'a lost command': ({ faults }) => faults.acu.push(lose),
  'a lost reply': ({ faults }) => faults.pd.push(lose),
  'three lost replies': ({ faults }) => faults.pd.push(lose, lose, lose),
  'a command with a bad CRC': ({ faults }) => faults.acu.push(corrupt),
  'a reply with a bad CRC': ({ faults }) => faults.pd.push(corrupt),
  'a reply twice': ({ faults }) => faults.pd.push(duplicated),
  'a reply after 300 ms': ({ faults }) => faults.pd.push(late(300)),
  'a reply after 700 ms': ({ faults }) => faults.pd.push(late(700)),
  'BUSY once': (line) => line.feedPd({ kind: 'busy', nowMs: line.nowMs, count: 1 }),
  'BUSY five times': (line) => line.feedPd({ kind: 'busy', nowMs: line.nowMs, count: 5 }),
  'a power cut of 0.4 s': (line) => {
    const backAtMs = line.nowMs + 400;
    line.feedPd({ kind: 'reset', nowMs: line.nowMs });
    line.weather.pd = (bytes, nowMs) => (nowMs < backAtMs ? lose : pass)(bytes, nowMs);
  },
  'a reset': (line) => line.feedPd({ kind: 'reset', nowMs: line.nowMs }),
  ...Object.fromEntries(
    [1, 2, 3, 4, 5, 6, 9, 0xff].flatMap((error) => [
      [`NAK ${error}`, (line: VirtualLine) => line.faults.pd.push(authentic(line, nak(error)))],
      [`NAK ${error} in clear`, (line: VirtualLine) => line.faults.pd.push(inClear(nak(error)))],
    ]),
  ),
  'an answer with SQN 0': ({ faults }) => faults.pd.push(inClear({ name: 'ACK' }, 0)),
};

function settled(mode: Mode): VirtualLine {
  const line = new VirtualLine(MODES[mode]);
  line.runUntil(() => line.online(), 1_000);
  line.run(9_000).runUntil(() => !line.acu.inTurn, 100);
  return line;
}

/** Somebody goes on trying the door until an unlock is acknowledged. */
function untilUnlocked(line: VirtualLine): number {
  const startMs = line.nowMs;
  for (let token = 1; line.nowMs - startMs < 400_000; token += 1) {
    line.command(UNLOCK, token, { urgent: true });
    line.runUntil(() => line.outcome(token) !== undefined, 20_000);
    const done = line.outcome(token);
    if (done?.kind === 'commandDone' && done.outcome.kind === 'acknowledged') break;
    line.run(1);
  }
  return line.nowMs - startMs;
}

for (const mode of ['secure', 'clear'] as const) {
  const normalMs = untilUnlocked(settled(mode));
  for (const [name, happen] of Object.entries(ACCIDENTS)) {
    t.test(`${mode}: ${name} costs the door less than a second`, async (t) => {
      const line = settled(mode);
      happen(line);
      const costMs = untilUnlocked(line) - normalMs;
      t.comment(`${mode} | ${name} | ${costMs} ms`);
      t.ok(costMs < COST_MAX_MS, `${costMs} ms`);
      line.weather.pd = pass;
      line.run(2_000);
      t.ok(line.online());
      t.notOk(line.statuses().some((status) => status.startsWith('offline')));
    });
  }
}
