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
import type { BenchReport } from './bench.js';

/** As many as are all linked with each other. */
const GATEWAYS_COUNT = 16;
const NEIGHBOURS_COUNT = GATEWAYS_COUNT - 1;
const EVENTS_EACH_COUNT = 4_000;
const SETTLED_AFTER_MS = 20_000;
const TARGET_MB = 256;

const KB_A_MB = 1_024;

interface Memory {
  readonly when: string;
  readonly residentMb: number;
  readonly peakMb: number;
}

function memoryOf(pid: number, when: string): Memory {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const megabytes = (name: string) =>
    Math.round(Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / KB_A_MB);
  return { when, residentMb: megabytes('VmRSS'), peakMb: megabytes('VmHWM') };
}

/** Of a gateway's processes the one that has the API and the mesh. */
function sitePidOf(gatewayPid: number): number {
  const children = readdirSync(`/proc/${gatewayPid}/task`).flatMap((task) =>
    readFileSync(`/proc/${gatewayPid}/task/${task}/children`, 'utf8').trim().split(' '),
  );
  const site = children.find(
    (pid) => pid !== '' && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('api/main.js'),
  );
  if (site === undefined) throw new Error('the gateway has no site process');
  return Number(site);
}

/** The mesh of a gateway, without the rest of it. */
function startMesh({ dataDir, configPath }: MeshGateway): SiteMesh {
  const { mesh } = loadGatewayConfig(configPath);
  if (mesh === undefined) throw new Error('no mesh');
  const log = { info: () => undefined, warn: () => undefined };
  const deps = { clock: createNodeClock(), random: nodeRandom, log, tell: () => undefined, policyInForce: () => ({}) };
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

/** What the site process of a gateway takes of memory, alone and with fifteen neighbours, whose ledgers it fetches. */
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
    const site = sitePidOf(gateway.pid ?? 0);
    const alone = memoryOf(site, 'alone');
    meshes.push(...neighbours.map(startMesh));
    await untilAllIsHere(gateway);
    const fetched = memoryOf(site, 'all ledgers fetched');
    await sleep(SETTLED_AFTER_MS);
    return report([alone, fetched, memoryOf(site, `${SETTLED_AFTER_MS / 1_000} s later`)]);
  } finally {
    await Promise.all(meshes.map((mesh) => mesh.stop()));
    await gateway.end('SIGTERM');
    await rm(folder, { recursive: true, force: true });
  }
}

function report(measured: readonly Memory[]): BenchReport {
  const peakMb = Math.max(...measured.map((each) => each.peakMb));
  return {
    title: 'Memory of the site process in a mesh',
    method: [
      `One gateway in its own processes and the meshes of ${NEIGHBOURS_COUNT} others in this one, all linked over libp2p on loopback, each with ${EVENTS_EACH_COUNT} events that the gateway fetches. Resident memory of its site process (API, console and mesh) as Linux has it.`,
    ],
    targets: [
      {
        what: `site process with ${NEIGHBOURS_COUNT} neighbours, at its peak`,
        target: `≤ ${TARGET_MB} MB`,
        measured: `${peakMb} MB`,
        met: peakMb <= TARGET_MB,
      },
    ],
    tables: [
      {
        caption: 'Site process',
        columns: ['when', 'resident MB', 'peak MB so far'],
        rows: measured.map(({ when, residentMb, peakMb }) => [when, residentMb, peakMb]),
      },
    ],
  };
}
