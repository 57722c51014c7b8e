import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { LiveGateway } from '../support/live-gateway.js';
import { liveSiteFile } from '../support/live-site-file.js';
import type { BenchReport } from './bench.js';
import { CARDS_COUNT, millis, quiet, spread, spreadCells } from './live-bench.js';

const BUSES_COUNT = 4;
const READERS_PER_BUS = 8;
const RATES = [9_600, 38_400, 115_200] as const;
const MEASURED_MS = 30_000;
/** Of one core: the rest is for the doors, the records and everything that a small box does beside. */
const CPU_MAX_PERCENT = 50;
/** USER_HZ of Linux: unit of the times in /proc/PID/stat. */
const TICKS_PER_SECOND = 100;

interface Load {
  readonly baudRate: number;
  readonly gatewayPercent: number;
  readonly sitePercent: number;
  readonly framesPerSecond: number;
  readonly pollGapsMs: readonly number[];
}

/** Milliseconds of CPU that a process has used, user and system, all its threads. */
function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // Behind the name, which is in brackets and may hold blanks; utime and stime are fields 14 and 15 of proc(5).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1_000) / TICKS_PER_SECOND;
}

async function measure(baudRate: number): Promise<Load> {
  const doors = Array.from({ length: BUSES_COUNT * READERS_PER_BUS }, (_, index) => ({
    id: `door-${index + 1}`,
    bus: `bus-${(index % BUSES_COUNT) + 1}`,
  }));
  const gateway = await LiveGateway.create({ site: liveSiteFile(doors, CARDS_COUNT), baudRate, kind: 'pty' });
  try {
    await gateway.startOnline();
    const wires = [...gateway.wires.values()];
    await Promise.all(wires.map(quiet));
    const sitePid = gateway.sitePid;
    for (const wire of wires) wire.frames.length = 0;
    const startMs = performance.now();
    const gatewayBefore = cpuMs(gateway.pid);
    const siteBefore = sitePid === undefined ? 0 : cpuMs(sitePid);
    await sleep(MEASURED_MS);
    const elapsedMs = performance.now() - startMs;
    const percent = (ms: number) => (100 * ms) / elapsedMs;
    return {
      baudRate,
      gatewayPercent: percent(cpuMs(gateway.pid) - gatewayBefore),
      sitePercent: sitePid === undefined ? 0 : percent(cpuMs(sitePid) - siteBefore),
      framesPerSecond: (1_000 * wires.reduce((sum, { frames }) => sum + frames.length, 0)) / elapsedMs,
      pollGapsMs: wires.flatMap((wire) =>
        Array.from({ length: READERS_PER_BUS }, (_, index) =>
          wire.turnGapsMs(index + 1, startMs, startMs + elapsedMs),
        ).flat(),
      ),
    };
  } finally {
    await gateway.remove();
  }
}

/** What polling costs a whole gateway: four buses of eight readers and an I/O module each, all in Secure Channel. */
export async function run(): Promise<BenchReport> {
  const loads: Load[] = [];
  for (const baudRate of RATES) loads.push(await measure(baudRate));
  const fastest = loads.at(-1);
  return {
    title: `CPU of a gateway with ${BUSES_COUNT} buses of ${READERS_PER_BUS} readers`,
    method: [
      `A whole gateway in processes of its own polls ${BUSES_COUNT} simulated half-duplex lines at their real pace, each with ` +
        `${READERS_PER_BUS} readers and an I/O module in Secure Channel, opened as serial devices (pseudo-terminals). CPU is the time of ` +
        `all threads in /proc over ${MEASURED_MS / 1_000} s, 100 % being one core; the lines and devices run in another process.`,
      'Nobody presents a card meanwhile, so nearly every frame is a POLL or its ACK.',
    ],
    targets: [
      {
        what: `CPU of the gateway process at ${fastest?.baudRate} baud`,
        target: `< ${CPU_MAX_PERCENT} % of a core`,
        measured: `${millis(fastest?.gatewayPercent ?? NaN)} %`,
        met: (fastest?.gatewayPercent ?? Infinity) < CPU_MAX_PERCENT,
      },
    ],
    tables: [
      {
        caption: 'CPU, 100 % being one core',
        columns: ['baud', 'gateway %', 'API and console %', 'frames a second, both ways', 'µs a frame'],
        rows: loads.map(({ baudRate, gatewayPercent, sitePercent, framesPerSecond }) => [
          baudRate,
          millis(gatewayPercent),
          millis(sitePercent),
          Math.round(framesPerSecond),
          Math.round((gatewayPercent * 10_000) / framesPerSecond),
        ]),
      },
      {
        caption: 'Time between two turns of a reader',
        columns: ['baud', 'p50 ms', 'p99 ms', 'max ms'],
        rows: loads.map(({ baudRate, pollGapsMs }) => [baudRate, ...spreadCells(spread(pollGapsMs))]),
      },
    ],
  };
}
