import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { migrate, openConnections } from '@sparc/cloud-sync/db';
import { BatchFile } from '@sparc/protocol/ledger';
import { cloudSite } from '../support/cloud-site.js';
import { PostgresServer } from '../support/postgres.js';
import { batchesOf } from '../support/test-batches.js';
import type { BenchReport } from './bench.js';
import { backlogs, type Backlog } from './cloud-backlog.js';
import type { Ingested } from './cloud-ingest-child.js';
import { CloudService } from './cloud-service.js';
import { drain, storedCount } from './cloud-uplinks.js';
import { treeCpuMs } from './machine.js';

const GATEWAYS = 8;
const ENTRIES_EACH = Number(process.env.SPARC_BENCH_ENTRIES ?? 25_000);
const PROCESSES = [1, 2, 4] as const;
/** As many commits as come to a batch of 256 KiB. */
const BATCH_COMMITS = 60;
const TARGET_PER_SECOND = 10_000;

/** What was stored, each entry once, and what it took. */
interface Round {
  readonly name: string;
  readonly storedCount: number;
  readonly seconds: number;
  /** Of the processes that take batches, and of the server. */
  readonly cpuMs: readonly [number, number];
  readonly peakMb: number;
}

export async function run(onPart: (report: BenchReport) => void): Promise<BenchReport> {
  const logs = backlogs(GATEWAYS, ENTRIES_EACH);
  const rounds: Round[] = [];
  const take = (round: Round) => {
    const { name, storedCount: count } = round;
    if (count !== GATEWAYS * ENTRIES_EACH) throw new Error(`${name}: ${count} entries are stored`);
    rounds.push(round);
    onPart(report(rounds));
  };
  await straight(logs, take);
  take(await throughBroker(logs));
  return report(rounds);
}

async function straight(logs: readonly Backlog[], take: (round: Round) => void): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'sparc-ingest-'));
  const server = await PostgresServer.start();
  try {
    const files = logs.map(({ commits }, index) => {
      const file = join(folder, `${index}.batches`);
      writeFileSync(file, BatchFile.encode({ batches: batchesOf(commits, BATCH_COMMITS) }));
      return file;
    });
    for (const processesCount of PROCESSES) take(await round(server, logs, files, processesCount));
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true });
  }
}

async function round(
  server: PostgresServer,
  logs: readonly Backlog[],
  files: readonly string[],
  processesCount: number,
): Promise<Round> {
  const { url } = await server.createDatabase();
  const connections = await openConnections({ url, connectionsMax: 1 });
  try {
    await migrate(connections);
    const keys = logs.map(({ signer }) => signer.publicKey);
    const { database, tenant } = await cloudSite(connections, keys);
    const children = Array.from({ length: processesCount }, (_, index) => {
      const own = files.filter((_file, at) => at % processesCount === index);
      return fork(fileURLToPath(new URL('cloud-ingest-child.js', import.meta.url)), [url, tenant, ...own]);
    });
    await Promise.all(children.map((child) => once(child, 'message')));
    const serverBefore = treeCpuMs(server.pid);
    const startMs = performance.now();
    const ends = children.map(async (child) => {
      child.send('go');
      const [ingested] = (await once(child, 'message')) as [Ingested];
      return ingested;
    });
    const all = await Promise.all(ends);
    const seconds = (performance.now() - startMs) / 1_000;
    return {
      name: `straight, ${processesCount} ${processesCount === 1 ? 'process' : 'processes'}`,
      storedCount: await storedCount(database, tenant, logs),
      seconds,
      cpuMs: [all.reduce((sum, { cpuMs }) => sum + cpuMs, 0), treeCpuMs(server.pid) - serverBefore],
      peakMb: Math.max(...all.map(({ peakBytes }) => peakBytes)) / 1e6,
    };
  } finally {
    await connections.close();
  }
}

async function throughBroker(logs: readonly Backlog[]): Promise<Round> {
  const service = await CloudService.start();
  try {
    const before = [treeCpuMs(service.pid), treeCpuMs(service.server.pid)] as const;
    const { seconds, storedCount: count } = await drain(service, logs);
    return {
      name: '`serve`, broker inside',
      storedCount: count,
      seconds,
      cpuMs: [treeCpuMs(service.pid) - before[0], treeCpuMs(service.server.pid) - before[1]],
      peakMb: service.peakBytes() / 1e6,
    };
  } finally {
    await service.stop();
  }
}

const perSecond = ({ storedCount: count, seconds }: Round): number => Math.round(count / seconds);

function report(rounds: readonly Round[]): BenchReport {
  const best = Math.max(...rounds.map(perSecond));
  return {
    title: 'Ingest',
    method: [
      `${GATEWAYS} gateways with ${ENTRIES_EACH} entries each into PostgreSQL on the same machine, as durable as in earnest: signatures and chains are verified, and each entry is stored once, which is counted. Straight: batches of 256 KiB lie ready in processes that share the gateways. With the broker: gateways in another process send them over MQTT with mutual TLS, and each batch is acknowledged by signature.`,
    ],
    targets: [
      {
        what: 'events a second, stored once',
        target: `>= ${TARGET_PER_SECOND}`,
        measured: String(best),
        met: best >= TARGET_PER_SECOND,
      },
    ],
    tables: [
      {
        caption: 'Ways in',
        columns: ['', 'events a second', 'µs of processor an event', 'and of PostgreSQL', 'memory, MB'],
        rows: rounds.map((each) => [
          each.name,
          perSecond(each),
          ...each.cpuMs.map((ms) => ((1_000 * ms) / each.storedCount).toFixed(0)),
          each.peakMb.toFixed(0),
        ]),
      },
    ],
  };
}
