import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DurabilityShim } from '../integration/journal/durability-shim.js';
import { ApiFlood } from '../support/api-flood.js';
import { LiveGateway } from '../support/live-gateway.js';
import { WIRE_CODE } from '../support/wire-monitor.js';
import type { BenchReport } from './bench.js';
import { BUS, busSite, millis, quiet, READERS_COUNT, spread, spreadCells, type Spread } from './live-bench.js';

const BAUD_RATE = 115_200;
const FLUSH_MS = 200;
const WINDOW_MS = 30_000;
const DENIAL_INTERVAL_MS = 500;
/** A reader that is asked this seldom still feels alive. */
const GAP_TARGET_MS = 500;
const DENIAL_TARGET_MS = 1_000;

interface Measured {
  readonly name: string;
  readonly gaps: Spread;
  readonly worstDeviceGaps: Spread;
  readonly denials: Spread;
  readonly answers: number;
}

/** Cards without a right at one reader after the other; from the card to the first LED command of its reader. */
async function denialsMs(gateway: LiveGateway, untilMs: number): Promise<number[]> {
  const wire = gateway.wires.get(BUS);
  const times: number[] = [];
  for (let index = 0; performance.now() < untilMs; index++) {
    const address = (index % READERS_COUNT) + 1;
    const startMs = performance.now();
    gateway.present(`door-${address}-reader`, index % 2 === 0 ? 'card-none' : 'card-lost');
    await sleep(DENIAL_INTERVAL_MS);
    const read = wire?.first(WIRE_CODE.raw, address, startMs);
    const shown = read && wire?.first(WIRE_CODE.led, address, read.endMs);
    times.push(shown === undefined ? Infinity : shown.startMs - startMs);
  }
  return times;
}

async function measure(name: string, gateway: LiveGateway, flood?: ApiFlood): Promise<Measured> {
  const wire = gateway.wires.get(BUS);
  if (wire === undefined) throw new Error(`no ${BUS}`);
  await quiet(wire);
  wire.frames.length = 0;
  const fromMs = performance.now();
  const denials = await denialsMs(gateway, fromMs + WINDOW_MS);
  const answers = (await flood?.stop()) ?? 0;
  const byDevice = Array.from({ length: READERS_COUNT + 1 }, (_, address) =>
    wire.turnGapsMs(address, fromMs, fromMs + WINDOW_MS),
  );
  const worst = byDevice.map(spread).reduce((a, b) => (b.max > a.max ? b : a));
  return { name, gaps: spread(byDevice.flat()), worstDeviceGaps: worst, denials: spread(denials), answers };
}

/** The rhythm of polls and the time to a denial, quiet and with everything that may be slow being slow. */
export async function run(): Promise<BenchReport> {
  const scratch = await mkdtemp(join(tmpdir(), 'sparc-bench-'));
  const gateway = await LiveGateway.create({ site: busSite(READERS_COUNT), baudRate: BAUD_RATE, kind: 'pty' });
  try {
    await gateway.startOnline();
    const unloaded = await measure('quiet', gateway);
    await gateway.end('SIGTERM');
    const shim = new DurabilityShim(scratch, { folder: gateway.dataDir, flushMs: FLUSH_MS });
    await gateway.startOnline(shim.environment);
    const loaded = await measure(`flush ${FLUSH_MS} ms, API flooded`, gateway, new ApiFlood(gateway.apiUrl));
    return report(unloaded, loaded);
  } finally {
    await gateway.remove();
    await rm(scratch, { recursive: true, force: true });
  }
}

function report(unloaded: Measured, loaded: Measured): BenchReport {
  const both = [unloaded, loaded];
  return {
    title: 'Isolation of the field',
    method: [
      `${READERS_COUNT} secure readers and an I/O module at ${BAUD_RATE} baud; a card without a right at one reader after the other, every ${DENIAL_INTERVAL_MS} ms. ` +
        `Gaps are from one command to a device to the next, taken on the line for ${WINDOW_MS / 1_000} s. ` +
        `Loaded: a preloaded library makes every flush of the data directory take ${FLUSH_MS} ms longer, and 32 connections ask the API as fast as it answers (${Math.round((loaded.answers * 1_000) / WINDOW_MS)} answers a second). ` +
        `The simulated line, the clients, the API and the gateway share the machine's cores, so that the gaps include what the scheduler of the operating system adds.`,
    ],
    targets: [
      {
        what: 'largest gap of any device while loaded',
        target: `< ${GAP_TARGET_MS} ms`,
        measured: `${millis(loaded.worstDeviceGaps.max)} ms`,
        met: loaded.worstDeviceGaps.max < GAP_TARGET_MS,
      },
      {
        what: 'card to shown denial while loaded, largest',
        target: `< ${DENIAL_TARGET_MS} ms`,
        measured: `${millis(loaded.denials.max)} ms`,
        met: loaded.denials.max < DENIAL_TARGET_MS,
      },
    ],
    tables: [
      {
        caption: 'Between two commands to a device',
        columns: ['', 'p50 ms', 'p99 ms', 'max ms'],
        rows: both.map(({ name, gaps }) => [name, ...spreadCells(gaps)]),
      },
      {
        caption: 'Card at the reader to the LED command of its denial',
        columns: ['', 'p50 ms', 'p99 ms', 'max ms'],
        rows: both.map(({ name, denials }) => [name, ...spreadCells(denials)]),
      },
    ],
  };
}
