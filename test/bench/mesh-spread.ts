import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '@sparc/simulator/live';
import { percentile, type BenchReport } from './bench.js';
import { RESULTS_FOLDER } from './machine.js';
import type { SpreadReport, WriteOrder } from './mesh-spread-child.js';

const GATEWAYS = 16;
const PROCESSES = 4;
const DURATION_MS = 30_000;
/** Of the whole site. */
const WRITES_PER_SECOND = 30;
const TARGET_MS = 250;

const CHILD = join(import.meta.dirname, 'mesh-spread-child.js');

/** Entries that one gateway writes, until each of the others has them on its disk. */
export async function run(): Promise<BenchReport> {
  const folder = mkdtempSync(join(RESULTS_FOLDER, 'mesh-spread-'));
  const ports: number[] = [];
  while (ports.length < GATEWAYS) ports.push(await freePort());
  const children = Array.from({ length: PROCESSES }, (_, at) => {
    const indexes = ports.flatMap((_port, index) => (index % PROCESSES === at ? [index] : []));
    return fork(CHILD, [folder, ports.join(), indexes.join()]);
  });
  try {
    await Promise.all(children.map((child) => told<string>(child)));
    const order: WriteOrder = { durationMs: DURATION_MS, intervalMs: (GATEWAYS * 1_000) / WRITES_PER_SECOND };
    const reports = children.map((child) => told<SpreadReport>(child));
    for (const child of children) child.send(order);
    return report(await Promise.all(reports));
  } finally {
    for (const child of children) child.kill();
    rmSync(folder, { recursive: true });
  }
}

async function told<T>(child: ChildProcess): Promise<T> {
  const ended = once(child, 'exit').then(() => {
    throw new Error('a process of the site ended');
  });
  const [message] = (await Promise.race([once(child, 'message'), ended])) as [T];
  return message;
}

function report(parts: readonly SpreadReport[]): BenchReport {
  const written = parts.flatMap((part) => part.written);
  const stored = parts.flatMap((part) => Object.entries(part.stored));
  const each: number[] = [];
  const last = written.map(({ author, sequence, atMs }) => {
    const arrivals = stored
      .filter(([gateway]) => gateway !== author)
      .map(([, seen]) => seen.find((one) => one.author === author && one.sequence >= sequence)?.atMs ?? Infinity);
    each.push(...arrivals.map((arrivedMs) => arrivedMs - atMs));
    return Math.max(...arrivals) - atMs;
  });
  const onAll = Float64Array.from(last).sort();
  const onEach = Float64Array.from(each).sort();
  const p99 = percentile(onAll, 0.99);
  const cells = (values: Float64Array) => [0.5, 0.9, 0.99, 1].map((share) => percentile(values, share).toFixed(1));
  return {
    title: 'One entry on all gateways of a site',
    method: [
      `${GATEWAYS} gateways, all linked, in ${PROCESSES} processes over libp2p on loopback; each records in turn, ${WRITES_PER_SECOND} events a second together, for ${DURATION_MS / 1_000} s. From the moment that somebody wants an event recorded, its own journal's flush included, until it is on the disk of the last of the ${GATEWAYS - 1} others, verified. ${written.length} entries.`,
    ],
    targets: [
      {
        what: 'an entry is on all others, p99',
        target: `≤ ${TARGET_MS} ms`,
        measured: `${p99.toFixed(1)} ms`,
        met: p99 <= TARGET_MS,
      },
    ],
    tables: [
      {
        caption: 'Milliseconds',
        columns: ['', 'p50', 'p90', 'p99', 'max'],
        rows: [
          ['on all others', ...cells(onAll)],
          ['on one of them', ...cells(onEach)],
        ],
      },
    ],
  };
}
