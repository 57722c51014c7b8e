import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadGatewayConfig } from '@sparc/edge/config';
import { createNodeClock, nodeRandom } from '@sparc/edge/platform';
import { SiteMesh } from '@sparc/edge/site-mesh';
import { writeJournal } from '../support/journal.js';
import { enrol, MeshGateway } from '../support/mesh-gateway.js';
import { TIMELESS } from '../support/timeless.js';
import type { BenchReport } from './bench.js';

/** As many as are all linked with each other. */
const GATEWAYS_COUNT = 16;
const NEIGHBOURS_COUNT = GATEWAYS_COUNT - 1;
const EVENTS_EACH_COUNT = 4_000;
const SETTLED_AFTER_MS = 20_000;
/** Of all processes of a gateway together. */
const TARGET_MB = 350;

const KB_A_MB = 1_024;

interface Memory {
  readonly when: string;
  readonly siteMb: number;
  readonly sitePeakMb: number;
  readonly allMb: number;
  readonly allPeakMb: number;
}

function memoryOf(gatewayPid: number, when: string): Memory {
  const pids = [gatewayPid, ...childrenOf(gatewayPid)];
  const site = pids.filter((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('site/main.js'));
  return {
    when,
    siteMb: megabytes(site, 'VmRSS'),
    sitePeakMb: megabytes(site, 'VmHWM'),
    allMb: megabytes(pids, 'VmRSS'),
    allPeakMb: megabytes(pids, 'VmHWM'),
  };
}

const megabytes = (pids: readonly number[], name: string): number => {
  const line = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm');
  const each = pids.map((pid) => Number(line.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]));
  return Math.round(each.reduce((sum, kilobytes) => sum + kilobytes, 0) / KB_A_MB);
};

const childrenOf = (pid: number): number[] =>
  readdirSync(`/proc/${pid}/task`)
    .flatMap((task) => readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim().split(' '))
    .filter((text) => text !== '')
    .map(Number);

/** The mesh of a gateway, without the rest of it. */
function startMesh({ dataDir, configPath }: MeshGateway): SiteMesh {
  const { mesh } = loadGatewayConfig(configPath);
  if (mesh === undefined) throw new Error('no mesh');
  const log = { info: () => undefined, warn: () => undefined };
  const deps = {
    clock: createNodeClock(),
    random: nodeRandom,
    log,
    tell: () => undefined,
    policyInForce: () => ({}),
    unread: () => [],
    time: TIMELESS,
    isFieldSilent: () => false,
    stored: () => undefined,
    policyHere: () => undefined,
    reaches: () => undefined,
    copied: () => undefined,
    onDirective: () => undefined,
  };
  const started = new SiteMesh(deps, dataDir, mesh);
  started.start();
  return started;
}

async function untilAllIsHere(gateway: MeshGateway): Promise<void> {
  for (;;) {
    const view = await gateway.mesh();
    const here = view?.members.filter(({ hereSinceUnixMs }) => hereSinceUnixMs !== undefined) ?? [];
    const whole = view?.logs.filter(({ behindCount, heads }) => behindCount === 0 && heads.length > 0) ?? [];
    if (here.length === NEIGHBOURS_COUNT && whole.length >= GATEWAYS_COUNT) return;
    await sleep(500);
  }
}

/** What a gateway takes of memory, alone and with fifteen neighbours, whose ledgers it fetches. */
export async function run(): Promise<BenchReport> {
  const folder = await mkdtemp(join(tmpdir(), 'sparc-bench-'));
  const meshes: SiteMesh[] = [];
  const gateways: MeshGateway[] = [];
  for (let at = 1; at <= GATEWAYS_COUNT; at += 1) gateways.push(await MeshGateway.create(folder, `gateway-${at}`));
  const [gateway, ...neighbours] = gateways;
  if (gateway === undefined) throw new Error('no gateway');
  try {
    await enrol(folder, 'harbour', gateways);
    for (const { dataDir } of neighbours) await writeJournal(dataDir, EVENTS_EACH_COUNT);
    gateway.start();
    while ((await gateway.mesh())?.state !== 'running') await sleep(200);
    await sleep(SETTLED_AFTER_MS);
    const pid = gateway.pid ?? 0;
    const alone = memoryOf(pid, 'alone');
    meshes.push(...neighbours.map(startMesh));
    await untilAllIsHere(gateway);
    const fetched = memoryOf(pid, 'all ledgers fetched');
    await sleep(SETTLED_AFTER_MS);
    return report([alone, fetched, memoryOf(pid, `${SETTLED_AFTER_MS / 1_000} s later`)]);
  } finally {
    await Promise.all(meshes.map((mesh) => mesh.stop()));
    await gateway.end('SIGTERM');
    await rm(folder, { recursive: true, force: true });
  }
}

function report(measured: readonly Memory[]): BenchReport {
  const mostMb = Math.max(...measured.map(({ allMb }) => allMb));
  return {
    title: 'Memory of a gateway in a mesh',
    method: [
      `One gateway in its own processes and the meshes of ${NEIGHBOURS_COUNT} others in this one, all linked over libp2p on loopback, each with ${EVENTS_EACH_COUNT} events that the gateway fetches. Resident memory as Linux has it, of its site process (API, console and mesh) and of all its processes; pages that these share count for each, and the peaks of several were not at the same time. It has no doors and no policy.`,
    ],
    targets: [
      {
        what: `whole gateway with ${NEIGHBOURS_COUNT} neighbours, resident`,
        target: `≤ ${TARGET_MB} MB`,
        measured: `${mostMb} MB`,
        met: mostMb <= TARGET_MB,
      },
    ],
    tables: [
      {
        caption: 'Resident MB, and at the peak so far',
        columns: ['when', 'site process', 'its peak', 'whole gateway', 'its peak'],
        rows: measured.map(({ when, siteMb, sitePeakMb, allMb, allPeakMb }) => [
          when,
          siteMb,
          sitePeakMb,
          allMb,
          allPeakMb,
        ]),
      },
    ],
  };
}
