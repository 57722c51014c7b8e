import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MeshView } from '@sparc/edge/api';
import { AuthorityFolder } from '@sparc/edge/authority';
import { nodeCrypto } from '@sparc/edge/ledger';
import { joinSite } from '@sparc/edge/membership';
import { createNodeClock, loadIdentity, nodeRandom, verifySignature } from '@sparc/edge/platform';
import { policyContentOf } from '@sparc/edge/policy';
import { AuthorityPolicy, PARTS_FILE, SqlitePartStore } from '@sparc/edge/policy-parts';
import { REPLICA_FILE, SqliteReplicaStore } from '@sparc/edge/replica';
import type { CredentialHolder, HashedCredential, PolicyContent, SiteFile } from '@sparc/protocol/policy';
import { accept } from '@sparc/protocol/replication';
import { freePort } from '@sparc/simulator/live';
import { LiveGateway } from '../support/live-gateway.js';
import { MeshGateway } from '../support/mesh-gateway.js';
import { eventually } from '../support/peers.js';
import type { BenchReport } from './bench.js';
import { busSite, millis, presentations, spread, spreadCells, type Timing } from './live-bench.js';

const CREDENTIALS_COUNT = 1_000_000;
const READERS_COUNT = 2;
const BAUD_RATE = 115_200;
const PAUSE_MS = [60, 260] as const;
const QUIET_PRESENTATIONS_COUNT = 100;
const PRESENTATIONS_AT_ONCE = 25;
const SAMPLE_INTERVAL_MS = 250;
const UNLOCK_TARGET_MS = 50;
const TAKEN_MAX_MS = 900_000;

/** The bytes that each process of a gateway takes at most, by what it is. */
type Peaks = Map<string, number>;

/** A gateway without the policy takes a million credentials from its neighbour, while people pass its doors. */
export async function run(): Promise<BenchReport> {
  const folder = await mkdtemp(join(tmpdir(), 'sparc-bench-'));
  const site = busSite(READERS_COUNT);
  const gateway = await LiveGateway.create({ site, baudRate: BAUD_RATE, kind: 'pty' });
  const neighbour = await MeshGateway.create(folder, 'neighbour');
  try {
    const authority = await formSite(folder, site, gateway, neighbour);
    const alone = await takenAlone(neighbour, authority);
    await gateway.startOnline();
    const quiet = await presentations(gateway, QUIET_PRESENTATIONS_COUNT, PAUSE_MS);
    const peaks: Peaks = new Map();
    const sampling = sample(gateway.pid, peaks);
    const fromMs = performance.now();
    neighbour.start();
    const isTaken = () => gateway.api<MeshView>('/api/mesh').then(({ policy }) => policy?.inForce?.number === 1);
    const fetched = fetchedAfter(gateway, fromMs);
    const meanwhile: Timing[] = [];
    while (!(await isTaken())) {
      meanwhile.push(...(await presentations(gateway, PRESENTATIONS_AT_ONCE, PAUSE_MS)));
      if (performance.now() - fromMs > TAKEN_MAX_MS) throw new Error(`the policy was not taken\n${gateway.logText}`);
    }
    const loaded = gateway.log.findLast(({ msg }) => msg === 'policy loaded');
    const takenSeconds = (Number(loaded?.['time']) - performance.timeOrigin - fromMs) / 1_000;
    sampling.abort();
    return report({ alone, fetchedSeconds: await fetched, takenSeconds, quiet, meanwhile, peaks });
  } finally {
    await neighbour.end('SIGTERM');
    await gateway.remove();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Both are members, and the authority has signed a policy that neither has yet. */
async function formSite(folder: string, site: SiteFile, gateway: LiveGateway, neighbour: MeshGateway): Promise<string> {
  const path = join(folder, 'authority');
  const deps = { clock: createNodeClock(), random: nodeRandom, verify: verifySignature };
  const authority = AuthorityFolder.create(path, site.site.id, deps);
  const parts = SqlitePartStore.open(join(path, PARTS_FILE));
  try {
    const port = await freePort();
    const config = JSON.parse(readFileSync(gateway.configPath, 'utf8')) as object;
    const mesh = { listen: `127.0.0.1:${port}`, discover: false };
    writeFileSync(gateway.configPath, JSON.stringify({ ...config, mesh }));
    const neighbourConfig = JSON.parse(readFileSync(neighbour.configPath, 'utf8')) as { mesh: { listen: string } };
    const members = [
      { dataDir: gateway.dataDir, name: 'gateway', addresses: [mesh.listen] },
      { dataDir: neighbour.dataDir, name: 'neighbour', addresses: [neighbourConfig.mesh.listen] },
    ];
    const keyOf = (dataDir: string) => Buffer.from(loadIdentity(dataDir).publicKey).toString('hex');
    const admissions = authority.enrol(members.map(({ dataDir, ...member }) => ({ ...member, key: keyOf(dataDir) })));
    for (const [index, { dataDir }] of members.entries()) {
      joinSite(dataDir, verifySignature, undefined, admissions[index] ?? new Uint8Array(), Date.now());
    }
    new AuthorityPolicy(authority.log, parts).sign(crowded(policyContentOf(site, authority.pinKey)));
  } finally {
    parts.close();
    authority.close();
  }
  return path;
}

/** The people of a site, and a million more. */
const crowded = (content: PolicyContent): PolicyContent => ({
  ...content,
  holders: both(content.holders, (name): CredentialHolder => ({ id: `holder-${name}`, name, status: 'active' })),
  credentials: both(content.credentials, (name, index): HashedCredential => ({
    id: `credential-${name}`,
    holder: `holder-${name}`,
    status: 'active',
    identifiers: [{ format: 'h10306', facility: index >> 16, number: index & 0xffff }],
    accessProfiles: ['everywhere'],
  })),
});

function* both<T>(first: Iterable<T>, make: (name: string, index: number) => T): Iterable<T> {
  yield* first;
  for (let index = 0; index < CREDENTIALS_COUNT; index++) yield make(String(index).padStart(7, '0'), index);
}

/** The neighbour has it from a file and brings it into force, while nothing else runs; gives the seconds. */
async function takenAlone(neighbour: MeshGateway, authorityPath: string): Promise<number> {
  const deps = { clock: createNodeClock(), random: nodeRandom, verify: verifySignature };
  const authority = AuthorityFolder.open(authorityPath, deps);
  const author = Buffer.from(authority.publicKey).toString('hex');
  const replicas = SqliteReplicaStore.open(join(neighbour.dataDir, REPLICA_FILE));
  const parts = SqlitePartStore.open(join(neighbour.dataDir, PARTS_FILE));
  const source = SqlitePartStore.open(join(authorityPath, PARTS_FILE));
  try {
    for (const batch of authority.log.batches()) {
      const log = replicas.logs().get(author) ?? [];
      const accepted = accept(nodeCrypto, log, (epoch, at) => replicas.hashAt(author, epoch, at), batch);
      if (accepted.kind === 'append') replicas.append([accepted], []);
    }
    for (const content of new AuthorityPolicy(authority.log, source).contents()) {
      parts.put([{ hash: Buffer.from(nodeCrypto.sha256(content)).toString('hex'), content }]);
    }
  } finally {
    for (const each of [replicas, parts, source, authority]) each.close();
  }
  const fromMs = performance.now();
  neighbour.start();
  const isTaken = async () => (await neighbour.mesh())?.policy?.inForce?.number === 1;
  await eventually('the neighbour has the policy', isTaken, TAKEN_MAX_MS);
  const seconds = (performance.now() - fromMs) / 1_000;
  await neighbour.end('SIGTERM');
  return seconds;
}

/** Seconds until all parts were there. */
async function fetchedAfter(gateway: LiveGateway, fromMs: number): Promise<number> {
  const isFetched = async () => {
    const { policy } = await gateway.api<MeshView>('/api/mesh');
    await sleep(SAMPLE_INTERVAL_MS);
    return policy?.newest?.number === 1 && policy.partsMissingCount === 0;
  };
  await eventually('all parts are there', isFetched, TAKEN_MAX_MS);
  return (performance.now() - fromMs) / 1_000;
}

function sample(pid: number, peaks: Peaks): AbortController {
  const ending = new AbortController();
  void (async () => {
    while (!ending.signal.aborted) {
      for (const each of [pid, ...childrenOf(pid)]) {
        const what = each === pid ? 'field, journal and replica' : partOf(each);
        peaks.set(what, Math.max(peaks.get(what) ?? 0, residentBytes(each)));
      }
      await sleep(SAMPLE_INTERVAL_MS);
    }
  })();
  return ending;
}

const childrenOf = (pid: number): number[] =>
  readdirSync(`/proc/${pid}/task`)
    .flatMap((task) => readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim().split(' '))
    .filter((text) => text !== '')
    .map(Number);

const partOf = (pid: number): string =>
  readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('policy-lane') ? 'policy lane' : 'site';

const residentBytes = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1_024;

interface Measured {
  readonly alone: number;
  readonly fetchedSeconds: number;
  readonly takenSeconds: number;
  readonly quiet: readonly Timing[];
  readonly meanwhile: readonly Timing[];
  readonly peaks: Peaks;
}

function report({ alone, fetchedSeconds, takenSeconds, quiet, meanwhile, peaks }: Measured): BenchReport {
  const waits = (timings: readonly Timing[]) => spread(timings.map(({ readEnd, outStart }) => outStart - readEnd));
  const { p99 } = waits(meanwhile);
  return {
    title: 'A policy of a million credentials comes from a neighbour',
    method: [
      `Two gateways in processes of their own on one machine, joined by libp2p on loopback. The neighbour has ${CREDENTIALS_COUNT} credentials in force, the gateway has the policy of ${READERS_COUNT} doors and serves them: ` +
        `cards at its readers, in Secure Channel at ${BAUD_RATE} baud, before and from the start of the neighbour until the new policy is in force. ` +
        `Seconds count from the start of the neighbour's process.`,
    ],
    targets: [
      {
        what: 'last byte of the card to first byte of OUT meanwhile, p99',
        target: `< ${UNLOCK_TARGET_MS} ms`,
        measured: `${millis(p99)} ms`,
        met: p99 < UNLOCK_TARGET_MS,
      },
    ],
    tables: [
      {
        caption: 'Last byte of the card to first byte of OUT',
        columns: ['', 'cards', 'p50 ms', 'p99 ms', 'max ms'],
        rows: [
          ['before', quiet.length, ...spreadCells(waits(quiet))],
          ['meanwhile', meanwhile.length, ...spreadCells(waits(meanwhile))],
        ],
      },
      {
        caption: 'How long it takes',
        columns: ['', 'seconds'],
        rows: [
          ['all parts fetched', fetchedSeconds.toFixed(1)],
          ['in force', takenSeconds.toFixed(1)],
          ['in force at the neighbour, which had the parts from a file and no doors', alone.toFixed(1)],
        ],
      },
      {
        caption: 'Peak resident memory of the gateway',
        columns: ['process', 'MB'],
        rows: [...peaks].map(([what, bytes]) => [what, (bytes / 1e6).toFixed(0)]),
      },
    ],
  };
}
