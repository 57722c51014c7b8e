import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { sparcCloud } from '../support/cloud-command.js';
import { MeshGateway } from '../support/mesh-gateway.js';
import { SITE_FILE } from '../support/site-file.js';
import type { BenchReport } from './bench.js';
import { CloudService, peopleTable, SITE } from './cloud-service.js';
import { millis, spread, spreadCells } from './live-bench.js';

/** Changes at a site with so many people. */
const SITES: readonly (readonly [people: number, trials: number])[] = [
  [1_000, Number(process.env.SPARC_BENCH_TRIALS ?? 60)],
  [100_000, Number(process.env.SPARC_BENCH_TRIALS ?? 8)],
];
const GATEWAYS = ['north', 'south', 'west'] as const;
const TARGET_P99_MS = 2_000;
const LOOK_PAUSE_MS = 20;
const CHANGE_MAX_MS = 120_000;

/** What a gateway comes to, one after the other. */
const STAGES = ['has heard of it', 'has all of its parts', 'decides by it'] as const;

/** How long one change took, in milliseconds from the call that publishes it. */
interface Trial {
  /** It is signed and stored. */
  readonly published: number;
  /** By gateway, when it was seen at each of `STAGES`. */
  readonly gateways: readonly (readonly number[])[];
}

interface Site {
  readonly people: number;
  readonly trials: readonly Trial[];
}

export async function run(onPart: (report: BenchReport) => void): Promise<BenchReport> {
  const service = await CloudService.start();
  const gateways: MeshGateway[] = [];
  const policy = `/sites/${SITE}/policy`;
  const publish = () => service.call<{ number: number }>('POST', `${policy}/revisions`, {});
  const sites: Site[] = [];
  try {
    for (const name of GATEWAYS) gateways.push(await admitted(service, name));
    for (const gateway of gateways) gateway.start();
    await service.call('PUT', `${policy}/site-file`, SITE_FILE);
    for (const [people, trialsCount] of SITES) {
      await service.importPeople(peopleTable(people));
      let { number } = await publish();
      await Promise.all(gateways.map((gateway) => stagesOf(gateway, number, performance.now())));
      const trials: Trial[] = [];
      while (trials.length < trialsCount) {
        const id = `person-${++number}`;
        await service.call('PUT', `${policy}/objects/credentialHolders/${id}`, { id, name: `Person ${number}` });
        const startMs = performance.now();
        const stages = Promise.all(gateways.map((gateway) => stagesOf(gateway, number, startMs)));
        const published = publish().then(() => performance.now() - startMs);
        trials.push({ published: await published, gateways: await stages });
      }
      sites.push({ people, trials });
      onPart(report(sites));
    }
    return report(sites);
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

/** When a gateway says that it has come to each of `STAGES`; it is asked again and again. */
async function stagesOf(gateway: MeshGateway, number: number, startMs: number): Promise<readonly number[]> {
  const at: number[] = [];
  for (;;) {
    const { newest, partsMissingCount, inForce } = (await gateway.mesh())?.policy ?? {};
    const isHeard = newest?.number === number;
    const isThere = [isHeard, isHeard && partsMissingCount === 0, inForce?.number === number];
    while (isThere[at.length] === true) at.push(performance.now() - startMs);
    if (at.length === STAGES.length) return at;
    if (performance.now() - startMs > CHANGE_MAX_MS) throw new Error(`revision ${number} is not in force`);
    await sleep(LOOK_PAUSE_MS);
  }
}

const lastOf = ({ gateways }: Trial): number => Math.max(...gateways.flat());

function report(sites: readonly Site[]): BenchReport {
  const [first] = sites;
  const last = spread(first?.trials.map(lastOf) ?? []);
  return {
    title: 'From a change in the cloud to the doors',
    method: [
      `\`sparc-cloud serve\` over PostgreSQL, its broker inside, and ${GATEWAYS.length} gateways in processes of their own, all on one machine. One person more is published again and again, from the call of the API; each gateway is asked every ${LOOK_PAUSE_MS} ms what it has heard, which parts it lacks, and which revision it decides by.`,
    ],
    targets: [
      {
        what: `with ${first?.people} people, the last gateway decides by it, p99`,
        target: `< ${TARGET_P99_MS} ms`,
        measured: `${millis(last.p99)} ms`,
        met: last.p99 < TARGET_P99_MS,
      },
    ],
    tables: sites.map(({ people, trials }) => ({
      caption: `Milliseconds since the call, at a site with ${people} people, of ${trials.length} changes`,
      columns: ['', 'p50', 'p99', 'max'],
      rows: [
        ['it is signed, and the call answered', ...spreadCells(spread(trials.map(({ published }) => published)))],
        ...STAGES.map((stage, index) => [
          `a gateway ${stage}`,
          ...spreadCells(spread(trials.flatMap(({ gateways }) => gateways.map((at) => at[index] ?? NaN)))),
        ]),
        ['the last gateway decides by it', ...spreadCells(spread(trials.map(lastOf)))],
      ],
    })),
  };
}
