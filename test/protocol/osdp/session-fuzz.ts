import assert from 'node:assert/strict';
import { decodeFrame } from '@sparc/protocol/osdp';
import { SeededRandom } from '@sparc/simulator/world';
import { bytesWithCheck } from './second-opinion.js';
import { type Fault, lose, pass, VirtualLine } from './virtual-line.js';

export interface SessionFuzzCounts {
  readonly sessions: number;
  /** Frames that arrived as other bytes, late, twice, or not at all. */
  readonly mutations: number;
  /** Times that a session was lost and negotiated again. */
  readonly restarts: number;
  readonly cardsDelivered: number;
  readonly commandsExecuted: number;
}

const COMMANDS_COUNT = 4;
const CARDS_COUNT = 3;
const COMMAND_TTL_MS = 1_500;
/** Every pause of the machines is over by then: 30 s between handshakes, and the offline time. */
const HEAL_MS = 45_000;
/** What a PD obeys in clear where Secure Channel is required: ID, CAP, CHLNG, SCRYPT. */
const CLEAR_CODES: readonly number[] = [0x61, 0x62, 0x76, 0x77];

/**
 * Whole secure sessions on a line that somebody changes frames of, and then leaves alone.
 * @throws AssertionError for a command that is executed twice or not as it is said to be, for a card that the PD did not
 * read or that is delivered twice, for anything in clear, and for a PD that does not come back.
 */
export function fuzzSessions(seed: number, count: number): SessionFuzzCounts {
  const random = new SeededRandom(seed);
  const totals = { sessions: count, mutations: 0, restarts: 0, cardsDelivered: 0, commandsExecuted: 0 };
  for (let index = 0; index < count; index += 1) {
    const one = random.fork(String(index));
    try {
      liveThrough(one, totals);
    } catch (error) {
      throw new Error(`seed ${seed}, session ${index}`, { cause: error });
    }
  }
  return totals;
}

type Totals = { -readonly [K in keyof SessionFuzzCounts]: SessionFuzzCounts[K] };

function liveThrough(random: SeededRandom, totals: Totals): void {
  const line = new VirtualLine();
  const seen: Uint8Array[] = [];
  const share = random.between(0.01, 0.5);
  const meddle: Fault = (bytes, nowMs) => {
    seen.push(bytes);
    if (!random.chance(share)) return pass(bytes, nowMs);
    totals.mutations += 1;
    return meddled(random, bytes, seen);
  };
  // Half of the time the handshake is let through, so that the session is what suffers.
  if (random.chance(0.5)) line.runUntil(() => line.online(), 1_000);
  line.weather.acu = meddle;
  line.weather.pd = meddle;
  for (let token = 1; token <= COMMANDS_COUNT; token += 1) {
    if (token <= CARDS_COUNT) line.event(cardOf(token));
    line.command(textOf(token), token, { urgent: random.chance(0.5), ttlMs: COMMAND_TTL_MS });
    line.run(random.integer(50, 400));
  }
  line.weather.acu = pass;
  line.weather.pd = pass;
  line.run(COMMAND_TTL_MS);
  line.runUntil(() => line.online(), HEAL_MS);
  line.command(textOf(99), 99);
  line.runUntil(() => line.outcome(99) !== undefined, COMMAND_TTL_MS);

  totals.commandsExecuted += assertCommandsToldTruly(line);
  totals.cardsDelivered += assertCardsTrue(line);
  assertNothingInClear(line);
  totals.restarts += line.pdEffects.filter((effect) => effect.kind === 'session' && effect.secure).length - 1;
}

const cardOf = (token: number) =>
  ({ kind: 'card', reader: 0, format: 1, bitCount: 26, bits: Uint8Array.of(token, 0x8a, 0x21, 0xc0) }) as const;

const textOf = (token: number) =>
  ({ name: 'TEXT', reader: 0, command: 1, temporarySeconds: 0, row: 1, column: 1, text: `T${token}` }) as const;

function meddled(random: SeededRandom, bytes: Uint8Array, seen: readonly Uint8Array[]): ReturnType<Fault> {
  const now = (changed: Uint8Array) => [{ bytes: changed, delayMs: 0 }];
  const at = random.integer(1, bytes.length - 1);
  const changed = bytes.with(at, (bytes[at] ?? 0) ^ random.integer(1, 255));
  switch (random.integer(0, 7)) {
    case 0:
      return lose(bytes, 0);
    case 1:
      return now(changed);
    case 2:
      return [{ bytes, delayMs: random.integer(1, 900) }];
    case 3:
      return [...now(bytes), { bytes, delayMs: random.integer(1, 60) }];
    case 4:
      return now(bytes.subarray(0, at));
    case 5:
      // Something that was said before, in place of this or before it.
      return [...now(random.pick(seen)), ...(random.chance(0.5) ? now(bytes) : [])];
    default:
      // As if by somebody who means it: the check is right.
      return now(Uint8Array.of(bytes[0] ?? 0xff, ...bytesWithCheck(changed.subarray(1))));
  }
}

/** Every command has ended, none was executed twice, and what is said of it is so. Returns how many were executed. */
function assertCommandsToldTruly(line: VirtualLine): number {
  const texts = line.pdEffects.flatMap((effect) => (effect.kind === 'text' ? [effect.text] : []));
  assert.equal(new Set(texts).size, texts.length, 'a command was executed twice');
  for (const token of [1, 2, 3, 4, 99]) {
    const done = line.outcome(token);
    assert.ok(done?.kind === 'commandDone', `command ${token} has no end`);
    const executed = texts.includes(`T${token}`);
    if (done.outcome.kind === 'acknowledged') assert.ok(executed, 'acknowledged and not executed');
    if (done.outcome.kind === 'notExecuted') assert.ok(!executed, 'executed although it is said not to be');
    if (token === 99) assert.equal(done.outcome.kind, 'acknowledged', 'the line is good again');
  }
  return texts.length;
}

/** Every card was one of the reader's, is delivered once, and under the session. Returns how many there were. */
function assertCardsTrue(line: VirtualLine): number {
  const cards = line.acuEffects.flatMap((effect) =>
    effect.kind === 'reply' && effect.reply.name === 'RAW' ? [{ secure: effect.secure, bits: effect.reply.bits }] : [],
  );
  assert.ok(cards.every(({ secure }) => secure));
  const firsts = cards.map(({ bits }) => bits[0] ?? 0);
  assert.equal(new Set(firsts).size, firsts.length, 'a card was delivered twice');
  for (const { bits } of cards) assert.deepEqual(bits, cardOf(bits[0] ?? 0).bits, 'a card that nobody read');
  assert.ok(firsts.every((first) => first >= 1 && first <= CARDS_COUNT));
  return cards.length;
}

function assertNothingInClear(line: VirtualLine): void {
  for (const { from, bytes } of line.sent) {
    const frame = decodeFrame(bytes.subarray(1));
    if (from === 'pd' || !frame.ok || frame.value.mac !== undefined) continue;
    assert.ok(CLEAR_CODES.includes(frame.value.code), `0x${frame.value.code.toString(16)} in clear`);
    assert.notEqual(frame.value.securityBlock?.data[0], 0, 'SCBK-D');
  }
}
