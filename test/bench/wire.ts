import { LiveGateway } from '../support/live-gateway.js';
import type { BenchReport } from './bench.js';
import { busSite, millis, presentations, READERS_COUNT, spread, spreadCells, type Timing } from './live-bench.js';

const PRESENTATIONS_COUNT = 200;
const RATES = [
  { baudRate: 9_600, targetMs: 500, pauseMs: [300, 900] },
  { baudRate: 115_200, targetMs: 100, pauseMs: [100, 400] },
] as const;

/** A card at one of 8 secure readers until its lock is energised by the I/O module on the same bus, timed on the wire. */
export async function run(): Promise<BenchReport> {
  const measured: { baudRate: number; targetMs: number; timings: Timing[] }[] = [];
  for (const { baudRate, targetMs, pauseMs } of RATES) {
    const gateway = await LiveGateway.create({ site: busSite(READERS_COUNT), baudRate, kind: 'pty' });
    try {
      await gateway.startOnline();
      measured.push({ baudRate, targetMs, timings: await presentations(gateway, PRESENTATIONS_COUNT, pauseMs) });
    } finally {
      await gateway.remove();
    }
  }
  const unlocked = (timings: readonly Timing[]) => spread(timings.map(({ unlocked }) => unlocked));
  return {
    title: 'Presentation to unlock, on the wire',
    method: [
      `A whole gateway in processes of its own runs ${READERS_COUNT} readers and an I/O module, all in Secure Channel, on one simulated half-duplex line at its real pace, opened as a serial device (a pseudo-terminal). ` +
        `${PRESENTATIONS_COUNT} cards are presented one after the other at random moments; every grant is on disk before its OUT leaves. ` +
        `Instants are taken on the line, as a logic analyser takes them, and at the coil.`,
    ],
    targets: measured.map(({ baudRate, targetMs, timings }) => {
      const { p99 } = unlocked(timings);
      return {
        what: `card at the reader to coil, ${baudRate} baud, p99`,
        target: `< ${targetMs} ms`,
        measured: `${millis(p99)} ms`,
        met: p99 < targetMs,
      };
    }),
    tables: measured.map(({ baudRate, timings }) => ({
      caption: `${baudRate} baud`,
      columns: ['from', 'to', 'p50 ms', 'p99 ms', 'max ms'],
      rows: [
        ['card at the reader', 'last byte of its reply', ...spreadCells(spread(timings.map(({ readEnd }) => readEnd)))],
        [
          'last byte of the card',
          'first byte of OUT',
          ...spreadCells(spread(timings.map(({ readEnd, outStart }) => outStart - readEnd))),
        ],
        ['first byte of OUT', 'last byte of OUT', ...spreadCells(spread(timings.map((t) => t.outEnd - t.outStart)))],
        ['card at the reader', 'coil energised', ...spreadCells(unlocked(timings))],
      ],
    })),
  };
}
