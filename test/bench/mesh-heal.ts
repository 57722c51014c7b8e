import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { MeshNode } from '../support/mesh-node.js';
import { MeshSite } from '../support/mesh-site.js';
import { median, type BenchReport } from './bench.js';
import { BACKLOG, EVENT_BYTES, GATEWAYS, NEWS, timeHeal, type Healed, type HealRun } from './heal.js';
import { runHypercore } from './hypercore-heal.js';
import { RESULTS_FOLDER } from './machine.js';
import { runYjs } from './yjs-heal.js';

const RUNS = 3;
const WRITTEN_AT_ONCE = 256;

const HEAL_TARGET_MS = 2_000;
const HEAL_TARGET_RATIO = 1.1;
const COLD_TARGET_MS = 300;
const COLD_TARGET_BYTES = 100_000;

/** So that the content of its entry has about the size of the other benches' events. */
const record = { name: 'door.opened', doorId: 'front', detail: { note: 'x'.repeat(149) } } as const;

/** Each opens what is on its disk and writes so many events, apart from the others; then they hear of each other. */
async function phase(site: MeshSite, folders: readonly string[], count: number, writesMs: number[]): Promise<Healed> {
  let isReachable = false;
  const nodes: MeshNode[] = [];
  for (const [at, member] of site.members.entries()) {
    const node = await MeshNode.start(site, member, folders[at] ?? '', { isReachable: () => isReachable });
    nodes.push(node);
    const startMs = performance.now();
    for (let left = count; left > 0; left -= WRITTEN_AT_ONCE) {
      await Promise.all(Array.from({ length: Math.min(WRITTEN_AT_ONCE, left) }, () => node.record(record)));
    }
    writesMs.push(performance.now() - startMs);
  }
  const healed = await timeHeal(
    () => {
      isReachable = true;
      for (const { network } of nodes) network.membersChanged();
    },
    () => nodes.every((one) => nodes.every((other) => one.holdsAllOf(other))),
  );
  await Promise.all(nodes.map((node) => node.stop()));
  return healed;
}

/** All write their backlog, heal, stop, write their news, and heal again. */
async function runSparc(writesMs: number[]): Promise<HealRun> {
  const site = await MeshSite.create(GATEWAYS);
  const folders = site.members.map(() => mkdtempSync(join(RESULTS_FOLDER, 'mesh-heal-')));
  try {
    return {
      heal: await phase(site, folders, BACKLOG, writesMs),
      cold: await phase(site, folders, NEWS, []),
    };
  } finally {
    await site.close();
    for (const folder of folders) rmSync(folder, { recursive: true });
  }
}

const RAW_BYTES = GATEWAYS * (GATEWAYS - 1) * BACKLOG * EVENT_BYTES;
const rows = (name: string, { heal, cold }: HealRun) =>
  (
    [
      ['heal', heal],
      ['cold reconnect', cold],
    ] as const
  ).map(([what, { ms, cpuMs, bytes }]) => [name, what, Math.round(ms), Math.round(cpuMs), bytes]);

export async function run(): Promise<BenchReport> {
  const writesMs: number[] = [];
  const runs: HealRun[] = [];
  for (let index = 0; index < RUNS; index++) runs.push(await runSparc(writesMs));
  const { rss } = process.memoryUsage();
  const peers: readonly (readonly [string, HealRun])[] = [
    ['hypercore', await runHypercore()],
    ['Yjs', await runYjs()],
  ];
  const healMs = median(runs.map(({ heal }) => heal.ms));
  const ratio = median(runs.map(({ heal }) => heal.bytes)) / RAW_BYTES;
  const coldMs = median(runs.map(({ cold }) => cold.ms));
  const coldBytes = median(runs.map(({ cold }) => cold.bytes));
  const perSecond = BACKLOG / (median(writesMs) / 1_000);
  return {
    title: 'Partition heal and cold reconnect',
    method: [
      `${GATEWAYS} gateways in one process over libp2p on loopback, ${GATEWAYS * BACKLOG} events of ${EVENT_BYTES} bytes in their journals that no other has; from the moment they may call each other until each has all on its disk, verified. Then all stop, ${GATEWAYS * NEWS} events more, and the same again. Medians of ${RUNS} runs; bytes are those of the TCP connections, handshakes included.`,
      'hypercore (signed, on disk, appended 256 at a time) and Yjs (in memory, unsigned; its documents stay open in between) do the same in the same process, once.',
    ],
    targets: [
      {
        what: 'heal',
        target: `≤ ${HEAL_TARGET_MS} ms`,
        measured: `${Math.round(healMs)} ms`,
        met: healMs <= HEAL_TARGET_MS,
      },
      {
        what: 'bytes of the heal, to those of the events',
        target: `≤ ${HEAL_TARGET_RATIO}`,
        measured: ratio.toFixed(3),
        met: ratio <= HEAL_TARGET_RATIO,
      },
      {
        what: 'cold reconnect',
        target: `≤ ${COLD_TARGET_MS} ms`,
        measured: `${Math.round(coldMs)} ms`,
        met: coldMs <= COLD_TARGET_MS,
      },
      {
        what: 'bytes of the cold reconnect',
        target: `≤ ${COLD_TARGET_BYTES}`,
        measured: String(coldBytes),
        met: coldBytes <= COLD_TARGET_BYTES,
      },
    ],
    tables: [
      {
        caption: 'Runs',
        columns: ['', 'what', 'ms', 'ms of processor', 'bytes'],
        rows: [...runs.flatMap((run) => rows('SPARC', run)), ...peers.flatMap(([name, run]) => rows(name, run))],
      },
      {
        caption: 'Around it',
        columns: ['what', 'value'],
        rows: [
          ['events/s that one journal takes, signed and flushed', Math.round(perSecond)],
          ['memory of the process with all gateways, MiB', Math.round(rss / 2 ** 20)],
        ],
      },
    ],
  };
}
