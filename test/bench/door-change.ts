import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { sparcCloud } from '../support/cloud-command.js';
import { MeshGateway } from '../support/mesh-gateway.js';
import { eventually } from '../support/peers.js';
import { SITE_FILE } from '../support/site-file.js';
import type { BenchReport } from './bench.js';
import { CloudService, SITE } from './cloud-service.js';
import { millis, spread, spreadCells } from './live-bench.js';

const TRIALS = Number(process.env.SPARC_BENCH_TRIALS ?? 100);
const GATEWAYS = ['north', 'south', 'west'] as const;
const TARGET_P99_MS = 1_000;
const LOOK_PAUSE_MS = 20;

/** How long one change took, in milliseconds from the call that publishes it. */
interface Trial {
  /** It is signed and stored. */
  readonly published: number;
  /** The first gateway decides by it, and the last. */
  readonly first: number;
  readonly last: number;
}

export async function run(): Promise<BenchReport> {
  const service = await CloudService.start();
  const gateways: MeshGateway[] = [];
  try {
    for (const name of GATEWAYS) gateways.push(await admitted(service, name));
    for (const gateway of gateways) gateway.start();
    const policy = `/sites/${SITE}/policy`;
    await service.call('PUT', `${policy}/site-file`, SITE_FILE);
    const publish = () => service.call<{ number: number }>('POST', `${policy}/revisions`, {});
    const { number } = await publish();
    await eventually(
      'the first revision is in force everywhere',
      async () => (await Promise.all(gateways.map(inForce))).every((each) => each === number),
      120_000,
    );
    const trials: Trial[] = [];
    for (let trial = 1; trial <= TRIALS; trial++) {
      const id = `person-${trial}`;
      await service.call('PUT', `${policy}/objects/credentialHolders/${id}`, { id, name: `Person ${trial}` });
      const startMs = performance.now();
      const waits = gateways.map((gateway) => untilInForce(gateway, number + trial));
      const published = publish().then(() => performance.now() - startMs);
      const applied = (await Promise.all(waits)).map((atMs) => atMs - startMs);
      trials.push({ published: await published, first: Math.min(...applied), last: Math.max(...applied) });
    }
    return report(trials);
  } finally {
    await Promise.all(gateways.map((gateway) => gateway.end('SIGKILL')));
    await service.stop();
  }
}

async function admitted(service: CloudService, name: string): Promise<MeshGateway> {
  const gateway = await MeshGateway.create(service.folder, name);
  const [request, admission] = ['request', 'admission'].map((what) => join(service.folder, `${name}.${what}`));
  if (request === undefined || admission === undefined) throw new Error('two files');
  await gateway.sparc('gateway', 'request', '--out', request);
  const of = ['--tenant', service.tenant, '--site', SITE];
  await sparcCloud(service.environment, 'gateway', 'admit', request, '-o', admission, ...of);
  await gateway.sparc('gateway', 'join', admission);
  return gateway;
}

const inForce = async (gateway: MeshGateway): Promise<number | undefined> =>
  (await gateway.mesh())?.policy?.inForce?.number;

/** When it says so; it is asked again and again. */
async function untilInForce(gateway: MeshGateway, number: number): Promise<number> {
  while ((await inForce(gateway)) !== number) await sleep(LOOK_PAUSE_MS);
  return performance.now();
}

function report(trials: readonly Trial[]): BenchReport {
  const last = spread(trials.map((trial) => trial.last));
  return {
    title: 'From a change in the cloud to the doors',
    method: [
      `\`sparc-cloud serve\` over PostgreSQL, its broker inside, and ${GATEWAYS.length} gateways in processes of their own, all on one machine. ${TRIALS} times one person more is published, from the call of the API; each gateway is asked every ${LOOK_PAUSE_MS} ms which revision it decides by.`,
    ],
    targets: [
      {
        what: 'the last gateway decides by it, p99',
        target: `< ${TARGET_P99_MS} ms`,
        measured: `${millis(last.p99)} ms`,
        met: last.p99 < TARGET_P99_MS,
      },
    ],
    tables: [
      {
        caption: 'Milliseconds since the call',
        columns: ['', 'p50', 'p99', 'max'],
        rows: [
          ['it is signed, and the call answered', ...spreadCells(spread(trials.map(({ published }) => published)))],
          ['the first gateway decides by it', ...spreadCells(spread(trials.map(({ first }) => first)))],
          ['the last gateway decides by it', ...spreadCells(last)],
        ],
      },
    ],
  };
}
