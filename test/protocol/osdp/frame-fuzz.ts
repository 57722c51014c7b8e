import assert from 'node:assert/strict';
import {
  type AcuState,
  decodeCommand,
  decodeFrame,
  decodeReply,
  deriveSessionKeys,
  describeCommand,
  describeReply,
  FRAME_LENGTH_MAX,
  FrameParser,
  open,
  type PdState,
  stepAcu,
  stepPd,
} from '@sparc/protocol/osdp';
import { SeededRandom } from '@sparc/simulator/world';
import { toHex } from './osdp-vectors.js';
import { bytesWithCheck } from './second-opinion.js';
import { PD_OPTIONS, SCBK, VirtualLine } from './virtual-line.js';

/** What was done with the frames of a run: each number must be large, or the run has looked at little. */
export interface FrameFuzzCounts {
  readonly frames: number;
  readonly wellFormed: number;
  readonly decoded: number;
  readonly parsed: number;
}

/** A machine that waits for a frame, and the one frame that is right. */
interface Waiting<S> {
  readonly state: S;
  readonly genuine: Uint8Array;
}

const KEYS = deriveSessionKeys(SCBK, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
const MOVES: readonly string[] = ['output', 'led', 'buzzer', 'text', 'key', 'communication', 'file', 'manufacturer'];
/** A frame is looked at again somewhere else in memory, among other bytes. */
const CANARY_EVERY = 16;

/**
 * Frames that are nearly right, at every decoder and at both machines in every phase of a connection.
 * @throws AssertionError for an over-read, for a frame that is taken although it is not authentic, and for whatever a
 * decoder or a machine throws.
 */
export function fuzzFrames(seed: number, count: number): FrameFuzzCounts {
  const random = new SeededRandom(seed);
  const { corpus, acus, pds } = everyPhase();
  const parser = new FrameParser();
  const counts = { frames: count, wellFormed: 0, decoded: 0, parsed: 0 };
  for (let index = 0; index < count; index += 1) {
    const bytes = mutated(random, corpus);
    const frame = decodeFrame(bytes);
    if (index % CANARY_EVERY === 0) assertSameAmongOthers(bytes, frame);
    counts.parsed += parser.push(bytes.subarray(0, random.integer(0, bytes.length)), index).length;
    assert.ok(parser.counts.badChecks <= parser.counts.strayBytes);
    if (!frame.ok) continue;
    counts.wellFormed += 1;
    counts.decoded += Number(decodesTotally(frame.value));
    assert.ok(!open({ keys: KEYS, chain: new Uint8Array(16) }, bytes).ok, 'a frame of no session opens in none');
    assertAcuTakesNothing(random.pick(acus), bytes);
    assertPdMovesNothing(random.pick(pds), bytes);
  }
  return counts;
}

/** Frames as they stand in a connection, and the machines before each of them. */
function everyPhase(): { corpus: Uint8Array[]; acus: Waiting<AcuState>[]; pds: Waiting<PdState>[] } {
  const line = new VirtualLine();
  const corpus: Uint8Array[] = [];
  const acus: Waiting<AcuState>[] = [];
  const pds: Waiting<PdState>[] = [];
  line.weather.acu = (bytes) => {
    corpus.push(bytes.slice(1));
    pds.push({ state: line.pd, genuine: bytes.slice(1) });
    return [{ bytes, delayMs: 0 }];
  };
  line.weather.pd = (bytes) => {
    corpus.push(bytes.slice(1));
    acus.push({ state: line.acu, genuine: bytes.slice(1) });
    return [{ bytes, delayMs: 0 }];
  };
  line.run(300);
  line.event({ kind: 'card', reader: 0, format: 1, bitCount: 26, bits: Uint8Array.of(0x3f, 0x8a, 0x21, 0xc0) });
  line.event({ kind: 'keypad', reader: 0, keys: Uint8Array.of(0x31, 0x32) });
  line.command({ name: 'OUT', records: [{ output: 0, code: 5, timerTicks: 5 }] }, 1);
  line.command({ name: 'TEXT', reader: 0, command: 1, temporarySeconds: 0, row: 1, column: 1, text: 'HELLO' }, 2);
  line.command({ name: 'BUZ', reader: 0, tone: 2, onTicks: 1, offTicks: 1, count: 1 }, 3);
  line.command({ name: 'COMSET', address: 0x65, baudRate: 9_600 }, 4);
  line.run(400);
  return { corpus, acus, pds };
}

/** Some bytes of it are others, or it is longer, shorter, or two; nine times of ten its check is right all the same. */
function mutated(random: SeededRandom, corpus: readonly Uint8Array[]): Uint8Array {
  let bytes = random.chance(0.05) ? random.bytes(random.integer(6, 80)) : random.pick(corpus).slice();
  for (let count = random.integer(1, 3); count > 0; count -= 1) bytes = mutatedOnce(random, corpus, bytes);
  return random.chance(0.9) ? bytesWithCheck(bytes) : bytes;
}

function mutatedOnce(random: SeededRandom, corpus: readonly Uint8Array[], bytes: Uint8Array): Uint8Array {
  const at = random.integer(0, bytes.length - 1);
  switch (random.integer(0, 7)) {
    case 0:
    case 1:
      return bytes.with(at, random.integer(0, 255));
    case 2:
      return bytes.with(at, (bytes[at] ?? 0) ^ (1 << random.integer(0, 7)));
    case 3:
      return bytes.with(Math.min(4, bytes.length - 1), random.integer(0, 15));
    case 4:
      return bytes.slice(0, Math.max(1, at));
    case 5:
      return Uint8Array.of(...bytes.subarray(0, at), ...random.bytes(random.integer(1, 20)), ...bytes.subarray(at));
    case 6:
      return Uint8Array.of(...bytes.subarray(0, at), ...random.pick(corpus).subarray(at));
    default:
      // SOM, address, SQN, security block and code are where it hurts.
      return bytes.with(Math.min(random.integer(0, 8), bytes.length - 1), random.integer(0, 255));
  }
}

/** True where the bytes are a message, too. Printing it must not fail either. */
function decodesTotally(frame: Parameters<typeof decodeReply>[0]): boolean {
  const reply = decodeReply(frame);
  if (reply.ok) describeReply(reply.value);
  const command = decodeCommand(frame);
  if (command.ok) describeCommand(command.value);
  return reply.ok || command.ok;
}

/** Where the bytes lie in memory, and what lies around them, is nothing to the decoder. */
function assertSameAmongOthers(bytes: Uint8Array, frame: ReturnType<typeof decodeFrame>): void {
  for (const canary of [0x00, 0x53, 0xff]) {
    const memory = new Uint8Array(bytes.length + 2 * FRAME_LENGTH_MAX).fill(canary);
    memory.set(bytes, FRAME_LENGTH_MAX);
    const there = decodeFrame(memory.subarray(FRAME_LENGTH_MAX, FRAME_LENGTH_MAX + bytes.length));
    assert.deepEqual(there.ok ? there.value : there.error.message, frame.ok ? frame.value : frame.error.message);
  }
}

/** Under Secure Channel no frame but the PD's own is delivered, confirms a command, or opens a session. */
function assertAcuTakesNothing({ state, genuine }: Waiting<AcuState>, bytes: Uint8Array): void {
  const { state: next, effects } = stepAcu(state, { kind: 'frame', nowMs: state.lastValidMs + 10, bytes });
  for (const effect of effects) {
    const confirmed = effect.kind === 'commandDone' && effect.outcome.kind === 'acknowledged';
    if (effect.kind === 'reply' || effect.kind === 'message' || confirmed) {
      assert.deepEqual(bytes, genuine, `a forged ${effect.kind}`);
    }
  }
  if (state.phase.kind !== 'secure' && next.phase.kind === 'secure') {
    // R-MAC_I is the proof, whatever stands around it.
    assert.ok(contains(bytes, genuine.subarray(-18, -2)), 'a session without its R-MAC_I');
  }
}

/** In full security no frame but the ACU's own is obeyed. */
function assertPdMovesNothing({ state, genuine }: Waiting<PdState>, bytes: Uint8Array): void {
  assert.ok(state.options === PD_OPTIONS || state.options.requireSecureChannel);
  const { effects } = stepPd(state, { kind: 'bytes', nowMs: state.lastHeardMs + 10, bytes, rndB: new Uint8Array(8) });
  if (effects.some(({ kind }) => MOVES.includes(kind))) assert.deepEqual(bytes, genuine, 'a forged command');
}

const contains = (bytes: Uint8Array, part: Uint8Array): boolean => toHex(bytes).includes(toHex(part));
