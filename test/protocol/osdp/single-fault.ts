import assert from 'node:assert/strict';
import type { PdOptions, SecureChannelPolicy } from '@sparc/protocol/osdp';
import { corrupt, duplicated, type Fault, late, lose, pass, VirtualLine } from './virtual-line.js';

/** What can become of one frame. */
export const FAULTS: Readonly<Record<string, Fault>> = {
  lost: lose,
  'corrupted at its end': corrupt,
  'corrupted at its length': (bytes, nowMs) => flipped(3, 0x04)(bytes, nowMs),
  'cut in half': (bytes) => [{ bytes: bytes.subarray(0, bytes.length >> 1), delayMs: 0 }],
  duplicated,
  'duplicated later': (bytes) => [
    { bytes, delayMs: 0 },
    { bytes, delayMs: 30 },
  ],
  'delayed by 450 ms': late(450),
  'delayed by 850 ms': late(850),
};

/** One byte of the frame has other bits than it was sent with. */
export const flipped =
  (index: number, bits: number): Fault =>
  (bytes) => {
    const at = index % bytes.length;
    return [{ bytes: bytes.with(at, (bytes[at] ?? 0) ^ bits), delayMs: 0 }];
  };

export const MODES: Readonly<
  Record<string, { readonly secureChannel?: SecureChannelPolicy; readonly pd?: Partial<PdOptions> }>
> = {
  secure: {},
  clear: { secureChannel: { mode: 'clear' }, pd: { requireSecureChannel: false } },
};

const STEP_MS = 10;
const RECOVERY_MAX_MS = 1_000;
const CARD = { kind: 'card', reader: 0, format: 1, bitCount: 26, bits: Uint8Array.of(0x3f, 0x8a, 0x21, 0xc0) } as const;
const UNLOCK = { name: 'OUT', records: [{ output: 0, code: 5, timerTicks: 5 }] } as const;

/** The day of a reader in little more than a second: it comes up, a card, keys, an unlock, an input. */
export function liveThrough(
  mode: string,
  { from, index, fault }: { readonly from: 'acu' | 'pd'; readonly index: number; readonly fault: Fault },
): { readonly line: VirtualLine; readonly longestSilenceMs: number } {
  const line = new VirtualLine(MODES[mode]);
  line.faults[from].push(...Array.from({ length: index }, () => pass), fault);
  let longestSilenceMs = 0;
  let heardMs = line.nowMs;
  const run = (durationMs: number): void => {
    for (let elapsedMs = 0; elapsedMs < durationMs; elapsedMs += STEP_MS) {
      line.run(STEP_MS);
      if (line.acu.lastValidMs > heardMs) heardMs = line.acu.lastValidMs;
      longestSilenceMs = Math.max(longestSilenceMs, line.nowMs - heardMs);
    }
  };
  run(150);
  line.event(CARD);
  run(100);
  line.event({ kind: 'keypad', reader: 0, keys: Uint8Array.of(0x31, 0x0d) });
  line.event({ kind: 'input', number: 1, status: 1 });
  run(100);
  // A command that comes while the PD is not up yet is refused, and comes again, as from a person at the door.
  for (let token = 1; line.acu.status?.link !== 'online' && token < 100; token += 1) run(20);
  line.command(UNLOCK, 1, { urgent: true });
  run(2_000);
  return { line, longestSilenceMs };
}

/** What one fault may cost: less than a second, and nothing else. */
export function assertUnharmed(line: VirtualLine, longestSilenceMs: number, mode: string): void {
  assert.deepEqual(line.alarms(), []);
  assert.deepEqual(line.statuses(), ['connecting', mode === 'secure' ? 'online secure' : 'online']);
  assert.ok(longestSilenceMs < RECOVERY_MAX_MS, `${longestSilenceMs} ms without an answer`);
  for (const name of ['RAW', 'KEYPAD']) assert.equal(line.replies(name).length, 1, `${name} once`);
  const done = line.outcome(1);
  assert.ok(done?.kind === 'commandDone' && done.outcome.kind === 'acknowledged', JSON.stringify(done));
  const moves = line.pdEffects.flatMap((effect) => (effect.kind === 'output' ? [effect.active] : []));
  assert.deepEqual(moves, [true, false], 'the door is released once');
}
