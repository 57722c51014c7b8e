import { LiveGateway } from '../support/live-gateway.js';
import type { BenchReport } from './bench.js';
import { busSite, millis, presentations, READERS_COUNT, spread, spreadCells, type Timing } from './live-bench.js';

const PRESENTATIONS_COUNT = 300;
const BAUD_RATE = 115_200;
const PAUSE_MS = [60, 260] as const;
const TARGET_MS = 20;

/** From the last byte of a card to the first byte of the unlock, the durable record between them. */
export async function run(): Promise<BenchReport> {
  const measured: { readersCount: number; timings: Timing[] }[] = [];
  for (const readersCount of [2, READERS_COUNT]) {
    const gateway = await LiveGateway.create({ site: busSite(readersCount), baudRate: BAUD_RATE, kind: 'pty' });
    try {
      await gateway.startOnline();
      measured.push({ readersCount, timings: await presentations(gateway, PRESENTATIONS_COUNT, PAUSE_MS) });
    } finally {
      await gateway.remove();
    }
  }
  const waits = (timings: readonly Timing[]) => spread(timings.map(({ readEnd, outStart }) => outStart - readEnd));
  return {
    title: 'Card to unlock',
    method: [
      `A whole gateway in processes of its own, readers and the I/O module in Secure Channel on one line (a pseudo-terminal) at ${BAUD_RATE} baud: ` +
        `frame received and decrypted, decision, record and its flush, OUT encrypted and put on the line. The line is asked for another device meanwhile, and OUT waits for the end of that turn. ` +
        `${PRESENTATIONS_COUNT} presentations each.`,
    ],
    targets: measured.map(({ readersCount, timings }) => {
      const { p99 } = waits(timings);
      return {
        what: `last byte of the card to first byte of OUT, ${readersCount} readers, p99`,
        target: `< ${TARGET_MS} ms`,
        measured: `${millis(p99)} ms`,
        met: p99 < TARGET_MS,
      };
    }),
    tables: [
      {
        caption: 'Last byte of the card to first byte of OUT',
        columns: ['readers', 'p50 ms', 'p99 ms', 'max ms'],
        rows: measured.map(({ readersCount, timings }) => [readersCount, ...spreadCells(waits(timings))]),
      },
    ],
  };
}
