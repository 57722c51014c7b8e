import { setTimeout as sleep } from 'node:timers/promises';
import type { LiveGateway } from '../support/live-gateway.js';
import { liveSiteFile } from '../support/live-site-file.js';
import { eventually } from '../support/peers.js';
import { WIRE_CODE, type WireFrame, type WireMonitor } from '../support/wire-monitor.js';
import { percentile } from './bench.js';

export const BUS = 'bus-a';
export const READERS_COUNT = 8;
export const CARDS_COUNT = 40;

/** One I/O module at address 0 and secure readers at 1, 2 … on one bus, each with a door of its own. */
export const busSite = (readersCount: number) =>
  liveSiteFile(
    Array.from({ length: readersCount }, (_, index) => ({ id: `door-${index + 1}`, bus: BUS })),
    CARDS_COUNT,
  );

/** Instants of one presentation, in milliseconds from the moment the card was at the reader. */
export interface Timing {
  /** The last byte of the reply that carries the card. */
  readonly readEnd: number;
  readonly outStart: number;
  readonly outEnd: number;
  /** The coil is energised. */
  readonly unlocked: number;
}

const QUIET_MS = 1_500;

/** Resolves when nothing but polls was on the line for a while: after a start each device is asked what it is and how. */
export async function quiet(wire: WireMonitor): Promise<void> {
  const isPoll = ({ reply, code }: WireFrame) => reply || code === WIRE_CODE.poll;
  const recent = () => wire.frames.filter(({ startMs }) => startMs > performance.now() - QUIET_MS);
  await sleep(QUIET_MS);
  await eventually('the line is quiet', () => recent().every(isPoll), 60_000);
}

/** Cards at one reader after the other whose door is locked. Pauses are uniform within `pauseMs`. */
export async function presentations(
  gateway: LiveGateway,
  count: number,
  pauseMs: readonly [number, number],
): Promise<Timing[]> {
  const wire = gateway.wires.get(BUS);
  if (wire === undefined) throw new Error(`no ${BUS}`);
  await quiet(wire);
  const doorIds = [...gateway.live.doors.keys()];
  const timings: Timing[] = [];
  for (let index = 0; index < count; index++) {
    await sleep(pauseMs[0] + Math.random() * (pauseMs[1] - pauseMs[0]));
    // The door that was locked for longest, so that a release moves it.
    const doorId = doorIds[index % doorIds.length] ?? '';
    const address = (index % doorIds.length) + 1;
    const lock = gateway.lock(doorId);
    await eventually(`${doorId} is locked`, () => !lock.released);
    const movementsBefore = lock.movements.length;
    wire.frames.length = 0;
    const startMs = performance.now();
    gateway.present(`${doorId}-reader`, `card-${(index % CARDS_COUNT) + 1}`);
    await eventually(`${doorId} is released`, () => lock.released);
    const read = wire.first(WIRE_CODE.raw, address, startMs);
    const out = read && wire.first(WIRE_CODE.out, 0, read.endMs);
    const unlockedMs = lock.movements[movementsBefore]?.atMs;
    if (read === undefined || out === undefined || unlockedMs === undefined)
      throw new Error('a release without a card or an OUT');
    timings.push({
      readEnd: read.endMs - startMs,
      outStart: out.startMs - startMs,
      outEnd: out.endMs - startMs,
      unlocked: unlockedMs - startMs,
    });
  }
  return timings;
}

export interface Spread {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export function spread(values: readonly number[]): Spread {
  const ascending = Float64Array.from(values).sort();
  return { p50: percentile(ascending, 0.5), p99: percentile(ascending, 0.99), max: percentile(ascending, 1) };
}

export const millis = (value: number): string => value.toFixed(1);
export const spreadCells = ({ p50, p99, max }: Spread): string[] => [millis(p50), millis(p99), millis(max)];
