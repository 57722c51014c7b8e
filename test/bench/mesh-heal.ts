import { subscribe } from 'node:diagnostics_channel';
import { mkdtempSync, rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { JOURNAL_FILE, JournalLog, nodeCrypto, openJournal } from '@sparc/edge/ledger';
import type { Libp2pNetwork } from '@sparc/edge/mesh';
import { createNodeClock, nodeRandom } from '@sparc/edge/platform';
import { Replicator, SqliteReplicaStore } from '@sparc/edge/replica';
import { holds, tipsOf } from '@sparc/protocol/replication';
import { MeshSite, type TestMember } from '../support/mesh-site.js';
import { median, type BenchReport } from './bench.js';
import { RESULTS_FOLDER } from './machine.js';

const GATEWAYS = 3;
/** Of each gateway: 50,001 in all. */
const BACKLOG = 16_667;
/** Of each gateway: 99 in all. */
const NEWS = 33;
const EVENT_BYTES = 200;
const RUNS = 3;
const POLL_MS = 2;
const HEAL_MAX_MS = 60_000;

const HEAL_TARGET_MS = 2_000;
const HEAL_TARGET_RATIO = 1.1;
const COLD_TARGET_MS = 300;
const COLD_TARGET_BYTES = 100_000;

/** So that the content of its entry has about the size of the other benches' events. */
const record = { name: 'door.opened', doorId: 'front', detail: { note: 'x'.repeat(149) } } as const;

/** Every connection that this process opened; all of them are between the gateways. */
const sockets: Socket[] = [];
subscribe('net.client.socket', (message) => sockets.push((message as { socket: Socket }).socket));
const bytesOnWire = () => sockets.reduce((sum, { bytesRead, bytesWritten }) => sum + bytesRead + bytesWritten, 0);

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

interface Healed {
  readonly ms: number;
  /** Of the processor, by all gateways together. */
  readonly cpuMs: number;
  readonly bytes: number;
}

/** All gateways start apart, then hear of each other; until each holds all of each. */
async function heal(site: MeshSite, folders: readonly string[]): Promise<Healed> {
  let isReachable = false;
  const gateways = site.members.map((member, index) => {
    return new Gateway(site, member, folders[index] ?? '', () => isReachable);
  });
  for (const { replicator } of gateways) await replicator.start();
  const before = bytesOnWire();
  const cpuBefore = process.cpuUsage();
  const startMs = performance.now();
  isReachable = true;
  for (const { network } of gateways) network.membersChanged();
  while (!gateways.every((one) => gateways.every((other) => one.holdsAllOf(other)))) {
    if (performance.now() > startMs + HEAL_MAX_MS) throw new Error(`not healed after ${HEAL_MAX_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  const ms = performance.now() - startMs;
  const { user, system } = process.cpuUsage(cpuBefore);
  const bytes = bytesOnWire() - before;
  await Promise.all(gateways.map((gateway) => gateway.stop()));
  return { ms, cpuMs: (user + system) / 1_000, bytes };
}

export async function run(): Promise<BenchReport> {
  const heals: Healed[] = [];
  const colds: Healed[] = [];
  const writes: number[] = [];
  for (let index = 0; index < RUNS; index++) {
    const site = await MeshSite.create(GATEWAYS);
    const folders = site.members.map(() => mkdtempSync(join(RESULTS_FOLDER, 'mesh-heal-')));
    try {
      for (const [at, member] of site.members.entries()) {
        writes.push(await writeEvents(folders[at] ?? '', member, site.siteId, BACKLOG));
      }
      heals.push(await heal(site, folders));
      for (const [at, member] of site.members.entries()) {
        await writeEvents(folders[at] ?? '', member, site.siteId, NEWS);
      }
      colds.push(await heal(site, folders));
    } finally {
      await site.close();
      for (const folder of folders) rmSync(folder, { recursive: true });
    }
  }
  const raw = GATEWAYS * (GATEWAYS - 1) * BACKLOG * EVENT_BYTES;
  const healMs = median(heals.map(({ ms }) => ms));
  const healBytes = median(heals.map(({ bytes }) => bytes));
  const coldMs = median(colds.map(({ ms }) => ms));
  const coldBytes = median(colds.map(({ bytes }) => bytes));
  const rate = BACKLOG / (median(writes) / 1_000);
  return {
    title: 'Partition heal',
    method: [
      `${GATEWAYS} gateways in one process over libp2p on loopback, ${GATEWAYS * BACKLOG} events of ${EVENT_BYTES} bytes in their journals that no other has; from the moment they may call each other until each has all on its disk. Then all stop, ${GATEWAYS * NEWS} events more, and the same again. Medians of ${RUNS} runs; bytes are those of the TCP connections, handshakes included.`,
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
        measured: (healBytes / raw).toFixed(3),
        met: healBytes / raw <= HEAL_TARGET_RATIO,
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
        columns: ['what', 'ms', 'ms of processor', 'bytes'],
        rows: [
          ...heals.map(({ ms, cpuMs, bytes }) => ['heal', Math.round(ms), Math.round(cpuMs), bytes]),
          ...colds.map(({ ms, cpuMs, bytes }) => ['cold reconnect', Math.round(ms), Math.round(cpuMs), bytes]),
        ],
      },
      {
        caption: 'Around it',
        columns: ['what', 'value'],
        rows: [
          ['events/s that one journal takes, signed and flushed', Math.round(rate)],
          ['memory of the process with all gateways, MiB', Math.round(process.memoryUsage().rss / 2 ** 20)],
        ],
      },
    ],
  };
}
