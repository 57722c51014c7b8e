import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { JOURNAL_FILE, JournalLog, nodeCrypto, openJournal } from '@sparc/edge/ledger';
import type { Libp2pNetwork } from '@sparc/edge/mesh';
import { createNodeClock, nodeRandom } from '@sparc/edge/platform';
import { Replicator, SqliteReplicaStore } from '@sparc/edge/replica';
import { holds, tipsOf } from '@sparc/protocol/replication';
import { MeshSite, type TestMember } from '../support/mesh-site.js';
import { median, type BenchReport } from './bench.js';
import { BACKLOG, EVENT_BYTES, GATEWAYS, NEWS, timeHeal, type Healed, type HealRun } from './heal.js';
import { runHypercore } from './hypercore-heal.js';
import { RESULTS_FOLDER } from './machine.js';
import { runYjs } from './yjs-heal.js';

const RUNS = 3;

const HEAL_TARGET_MS = 2_000;
const HEAL_TARGET_RATIO = 1.1;
const COLD_TARGET_MS = 300;
const COLD_TARGET_BYTES = 100_000;

/** So that the content of its entry has about the size of the other benches' events. */
const record = { name: 'door.opened', doorId: 'front', detail: { note: 'x'.repeat(149) } } as const;

async function writeEvents(folder: string, { signer }: TestMember, siteId: string, count: number): Promise<number> {
  const deps = { signer, clock: createNodeClock(), random: nodeRandom, crypto: nodeCrypto };
  const { writer, close } = await openJournal(folder, deps, { siteId }, {});
  const startMs = performance.now();
  for (let left = count; left > 0; left -= 256) {
    await Promise.all(Array.from({ length: Math.min(256, left) }, () => writer.append({ record })));
  }
  const tookMs = performance.now() - startMs;
  await close();
  return tookMs;
}

class Gateway {
  readonly log: JournalLog;
  readonly store: SqliteReplicaStore;
  readonly network: Libp2pNetwork;
  readonly replicator: Replicator;

  constructor(site: MeshSite, member: TestMember, folder: string, isReachable: () => boolean) {
    const real = () => site.members.map(({ key, port }) => ({ key, addresses: [`127.0.0.1:${port}`] }));
    this.log = new JournalLog(join(folder, JOURNAL_FILE), member.signer.publicKey);
    this.store = SqliteReplicaStore.open(join(folder, 'replica.db'));
    this.network = site.network(member, {}, { members: () => (isReachable() ? real() : []) });
    this.replicator = new Replicator({
      clock: createNodeClock(),
      crypto: nodeCrypto,
      network: this.network,
      store: this.store,
      ownLog: this.log,
      siteId: site.siteId,
      isAuthor: (author) => site.members.some(({ key }) => key === author),
      attestedHeads: () => undefined,
      onStored: () => undefined,
      fullFor: () => undefined,
      onFull: () => undefined,
      onFork: ({ kind }) => {
        throw new Error(`a fork: ${kind}`);
      },
      onFailure: (error) => {
        throw error;
      },
    });
  }

  holdsAllOf({ log }: Gateway): boolean {
    if (log.author === this.log.author) return true;
    return tipsOf(log.log()).every((tip) => holds(this.store.logs().get(log.author) ?? [], tip));
  }

  async stop(): Promise<void> {
    await this.replicator.stop();
    this.store.close();
    this.log.close();
  }
}

/** All gateways start apart, then hear of each other; until each holds all of each. */
async function heal(site: MeshSite, folders: readonly string[]): Promise<Healed> {
  let isReachable = false;
  const gateways = site.members.map((member, index) => {
    return new Gateway(site, member, folders[index] ?? '', () => isReachable);
  });
  for (const { replicator } of gateways) await replicator.start();
  const healed = await timeHeal(
    () => {
      isReachable = true;
      for (const { network } of gateways) network.membersChanged();
    },
    () => gateways.every((one) => gateways.every((other) => one.holdsAllOf(other))),
  );
  await Promise.all(gateways.map((gateway) => gateway.stop()));
  return healed;
}

/** All write their backlog, heal, stop, write their news, and heal again. */
async function runSparc(writesMs: number[]): Promise<HealRun> {
  const site = await MeshSite.create(GATEWAYS);
  const folders = site.members.map(() => mkdtempSync(join(RESULTS_FOLDER, 'mesh-heal-')));
  const write = async (count: number) => {
    for (const [at, member] of site.members.entries()) {
      writesMs.push(await writeEvents(folders[at] ?? '', member, site.siteId, count));
    }
  };
  try {
    await write(BACKLOG);
    const first = await heal(site, folders);
    await write(NEWS);
    return { heal: first, cold: await heal(site, folders) };
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
  const perSecond = BACKLOG / (median(writesMs.filter((_, index) => index % (2 * GATEWAYS) < GATEWAYS)) / 1_000);
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
