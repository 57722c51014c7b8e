import t, { type Test } from 'tap';
import {
  CAPABILITY,
  clientCryptogram,
  decodeFrame,
  deriveSessionKeys,
  encodeFrame,
  encodeReply,
  type Frame,
  type OsdpErrorCode,
  type ReceivedFrame,
  type Reply,
  SCBK_DEFAULT,
} from '@sparc/protocol/osdp';
import { bytesWithCheck } from './second-opinion.js';
import { type Fault, pass, VirtualLine } from './virtual-line.js';

/** Each attack of "Attacks to design against", kept up for so long by somebody who sits in the middle of the line. */
const ATTACK_MS = 60_000;
const UNLOCK = { name: 'OUT', records: [{ output: 0, code: 5, timerTicks: 5 }] } as const;
const CHLNG = 0x76;
const SCRYPT = 0x77;
const CAP = 0x62;

interface Attack {
  /** What becomes of the answer to this command; the true one where undefined. */
  readonly answer?: (command: ReceivedFrame, truth: Uint8Array) => Uint8Array | undefined;
  /** What the attacker sends to the PD in the name of the ACU, every 200 ms. */
  readonly command?: Frame;
  /** One of these is told. */
  readonly alarms: readonly OsdpErrorCode[];
  /** From the end of the attack until the door can be opened again. */
  readonly usableWithinMs: number;
}

const inClear = (command: ReceivedFrame, reply: Reply, sequence = command.sequence): Uint8Array =>
  encodeFrame({ address: 0x65, reply: true, sequence, check: 'crc', ...encodeReply(reply) });
const nak = (error: number): Reply => ({ name: 'NAK', error, details: new Uint8Array(0) });
const inSession = ({ mac }: ReceivedFrame): boolean => mac !== undefined;
let guess = 0;

const ATTACKS: Readonly<Record<string, Attack>> = {
  'BUSY for every answer': {
    answer: (command) => inClear(command, { name: 'BUSY' }, 0),
    alarms: ['ERR_OSDP_SECURE_LOST'],
    usableWithinMs: 2_000,
  },
  ...Object.fromEntries(
    [1, 4, 5, 6].map((error): [string, Attack] => [
      `NAK ${error} for every answer`,
      {
        answer: (command) => inClear(command, nak(error)),
        alarms: ['ERR_OSDP_SECURE_LOST'],
        usableWithinMs: 31_000,
      },
    ]),
  ),
  'NAK 6 for every answer in a session, the handshake left alone': {
    answer: (command) => (inSession(command) ? inClear(command, nak(6)) : undefined),
    alarms: ['ERR_OSDP_SECURE_LOST'],
    usableWithinMs: 31_000,
  },
  'an ACK with SQN 0 for every answer in a session': {
    answer: (command) => (inSession(command) ? inClear(command, { name: 'ACK' }, 0) : undefined),
    alarms: ['ERR_OSDP_SECURE_LOST'],
    usableWithinMs: 31_000,
  },
  'a card in clear for every answer': {
    answer: (command) => inClear(command, { name: 'RAW', reader: 0, format: 1, bitCount: 8, bits: Uint8Array.of(1) }),
    alarms: ['ERR_OSDP_CLEAR_REPLY'],
    usableWithinMs: 31_000,
  },
  'NAK 6 beside every true answer': {
    // The PD still answers: the true answer comes to the repeat.
    answer: (() => {
      let last = '';
      return (command: ReceivedFrame) => {
        const id = String(command.mac);
        const first = inSession(command) && id !== last;
        last = id;
        return first ? inClear(command, nak(6)) : undefined;
      };
    })(),
    alarms: ['ERR_OSDP_CLEAR_REPLY'],
    usableWithinMs: 500,
  },
  'capabilities without Secure Channel, and CHLNG refused': {
    answer: (command) => {
      const capability = { function: CAPABILITY.security, compliance: 0, count: 0 };
      if (command.code === CHLNG) return inClear(command, nak(5));
      if (command.code === CAP) return inClear(command, { name: 'PDCAP', capabilities: [capability] });
      return inSession(command) ? inClear(command, nak(6)) : undefined;
    },
    alarms: ['ERR_OSDP_SECURE_UNSUPPORTED'],
    usableWithinMs: 31_000,
  },
  'a cryptogram under SCBK-D': {
    answer: (command) => {
      if (inSession(command)) return inClear(command, nak(6));
      if (command.code !== CHLNG) return undefined;
      const rndA = command.payload;
      const rndB = new Uint8Array(8);
      const cryptogram = clientCryptogram(deriveSessionKeys(SCBK_DEFAULT, rndA), rndA, rndB);
      const reply: Reply = { name: 'CCRYPT', cUID: new Uint8Array(8), rndB, clientCryptogram: cryptogram };
      return encodeFrame({
        address: 0x65,
        reply: true,
        sequence: 0,
        check: 'crc',
        securityBlock: { type: 0x12, data: Uint8Array.of(0) },
        ...encodeReply(reply),
      });
    },
    alarms: ['ERR_OSDP_KEY_REJECTED'],
    usableWithinMs: 31_000,
  },
  'a handshake that never ends well': {
    answer: (command) => {
      if (inSession(command)) return inClear(command, nak(6));
      if (command.code !== SCRYPT) return undefined;
      return encodeFrame({
        address: 0x65,
        reply: true,
        sequence: 1,
        check: 'crc',
        securityBlock: { type: 0x14, data: Uint8Array.of(0xff) },
        ...encodeReply({ name: 'RMAC_I', rMac: new Uint8Array(16) }),
      });
    },
    alarms: ['ERR_OSDP_KEY_REJECTED'],
    usableWithinMs: 31_000,
  },
  'a guessed MAC on every answer': {
    answer: (command, truth) => {
      if (!inSession(command)) return undefined;
      const frame = decodeFrame(truth.subarray(1));
      if (!frame.ok || frame.value.mac === undefined) return undefined;
      const body = truth.slice(1);
      guess += 1;
      new DataView(body.buffer).setUint32(body.length - 6, guess * 2_654_435_761);
      return bytesWithCheck(body);
    },
    alarms: ['ERR_OSDP_MAC'],
    usableWithinMs: 31_000,
  },
  'clear commands to the PD, which end its session': {
    command: { address: 0x65, reply: false, sequence: 0, check: 'crc', code: 0x60, payload: new Uint8Array(0) },
    alarms: ['ERR_OSDP_SECURE_LOST'],
    usableWithinMs: 31_000,
  },
};

const frameOf = (bytes: Uint8Array): ReceivedFrame | undefined => {
  const frame = decodeFrame(bytes.subarray(1));
  return frame.ok ? frame.value : undefined;
};

function settled(): VirtualLine {
  const line = new VirtualLine();
  line.runUntil(() => line.online(), 1_000);
  return line.run(9_000);
}

const challengesCount = (line: VirtualLine): number =>
  line.sent.filter(({ from, bytes }) => from === 'acu' && frameOf(bytes)?.code === CHLNG).length;

/** Somebody tries the door until it opens, and gives up in time. */
function untilUnlocked(line: VirtualLine, withinMs: number): number {
  const startMs = line.nowMs;
  for (let token = 2; line.nowMs - startMs <= withinMs; token += 1) {
    line.command(UNLOCK, token, { urgent: true });
    line.run(100);
    const done = line.outcome(token);
    if (done?.kind === 'commandDone' && done.outcome.kind === 'acknowledged') return done.atMs - startMs;
  }
  return Infinity;
}

function underAttack(line: VirtualLine, { answer, command }: Attack, durationMs: number): void {
  let asked: ReceivedFrame | undefined;
  line.weather.acu = (bytes, nowMs) => {
    asked = frameOf(bytes);
    return pass(bytes, nowMs);
  };
  const forge: Fault = (truth, nowMs) => {
    const forged = asked === undefined ? undefined : answer?.(asked, truth);
    return forged === undefined ? pass(truth, nowMs) : [{ bytes: forged, delayMs: 0 }];
  };
  line.weather.pd = forge;
  for (let elapsedMs = 0; elapsedMs < durationMs; elapsedMs += 200) {
    if (command !== undefined) line.inject('pd', encodeFrame(command));
    line.run(200);
  }
  line.weather.acu = pass;
  line.weather.pd = pass;
}

for (const [name, attack] of Object.entries(ATTACKS)) {
  t.test(`${name}: an alarm, nothing forged is believed, and the door works again in time`, async (t) => {
    const line = settled();
    const handshakesBefore = challengesCount(line);
    const movesBefore = line.pdEffects.filter(({ kind }) => kind === 'output').length;
    underAttack(line, attack, ATTACK_MS / 2);
    line.command(UNLOCK, 1, { urgent: true });
    underAttack(line, attack, ATTACK_MS / 2);

    const alarms = line.alarms();
    t.ok(
      attack.alarms.some((code) => alarms.includes(code)),
      alarms.join(' '),
    );
    t.ok(alarms.length <= 16, `${alarms.length} alarms in a minute`);
    const handshakes = challengesCount(line) - handshakesBefore;
    t.ok(handshakes <= 14, `${handshakes} handshakes in a minute`);
    t.equal(line.replies('RAW').length, 0);
    const done = line.outcome(1);
    t.ok(done?.kind === 'commandDone', 'the unlock has ended');
    const acknowledged = done?.kind === 'commandDone' && done.outcome.kind === 'acknowledged';
    const moved = line.pdEffects.filter(({ kind }) => kind === 'output').length > movesBefore;
    t.ok(moved || !acknowledged, 'an unlock that is said to be done was done');
    assertNothingGivenAway(t, line);

    const tookMs = untilUnlocked(line, attack.usableWithinMs);
    t.ok(tookMs <= attack.usableWithinMs, `${tookMs} ms`);
    t.comment(`${name} | ${[...new Set(alarms)].join(', ')} | ${handshakes} handshakes | usable after ${tookMs} ms`);
  });
}

/** In clear, only what leads to a session; no session but under the device's own key. */
function assertNothingGivenAway(t: Test, line: VirtualLine): void {
  const clear = new Set<number>();
  for (const { from, bytes } of line.sent) {
    const frame = frameOf(bytes);
    if (from !== 'acu' || frame === undefined || frame.mac !== undefined) continue;
    clear.add(frame.code);
    if (frame.code === CHLNG) t.equal(frame.securityBlock?.data[0], 1, 'never SCBK-D');
  }
  for (const code of clear) t.ok([0x61, CAP, CHLNG, SCRYPT].includes(code), code.toString(16));
}

t.test('a reply of one session is worth nothing in the next', async (t) => {
  const line = settled();
  const card = { kind: 'card', reader: 0, format: 1, bitCount: 26, bits: Uint8Array.of(1, 2, 3, 64) } as const;
  line.event(card);
  line.run(300);
  t.equal(line.replies('RAW').length, 1);
  const recorded = line.sent.filter(({ from, bytes }) => from === 'pd' && frameOf(bytes)?.code === 0x50);
  line.feedPd({ kind: 'reset', nowMs: line.nowMs });
  line.run(9_000);
  t.ok(line.online());
  const replay = recorded[0]?.bytes ?? new Uint8Array(0);
  const sequence = frameOf(replay)?.sequence;
  line.runUntil(() => !line.acu.inTurn && ((line.acu.sequence ?? 0) % 3) + 1 === sequence, 1_000);
  line.faults.pd.push(() => [{ bytes: replay, delayMs: 0 }]);
  line.run(1_000);
  t.equal(line.replies('RAW').length, 1, 'the card is not read twice');
  t.ok(line.alarms().includes('ERR_OSDP_MAC'));
  t.ok(line.online());
});

t.test('guessing a MAC takes thousands of years', async (t) => {
  const line = settled();
  const attack = ATTACKS['a guessed MAC on every answer'];
  if (attack === undefined) return t.fail();
  guess = 0;
  underAttack(line, attack, 600_000);
  const years = 2 ** 31 / (guess * 6 * 24 * 365);
  t.comment(`${guess} guesses in 10 minutes: ${Math.round(years)} years for an even chance`);
  t.ok(guess > 5 && years > 1_000, `${guess} guesses`);
});
