import type { BenchReport } from './bench.js';
import { backlogs } from './cloud-backlog.js';
import { CloudService } from './cloud-service.js';
import { drain } from './cloud-uplinks.js';
import { treeCpuMs } from './machine.js';

const GATEWAYS = 16;
/** Of each: of a site of 200 doors and 5,000 holders who pass four doors a day, with about four entries a passage, in 72 hours. */
const ENTRIES_EACH = Number(process.env.SPARC_BENCH_ENTRIES ?? 15_000);
const TARGET_S = 120;
const MEMORY_TARGET_MB = 500;

export async function run(): Promise<BenchReport> {
  const service = await CloudService.start();
  try {
    const logs = backlogs(GATEWAYS, ENTRIES_EACH);
    const before = [treeCpuMs(service.pid), treeCpuMs(service.server.pid)] as const;
    const { entriesCount, seconds, sentBytes, storedCount } = await drain(service, logs);
    const cpuMs = [treeCpuMs(service.pid) - before[0], treeCpuMs(service.server.pid) - before[1]];
    if (storedCount !== entriesCount) throw new Error(`${storedCount} of ${entriesCount} entries are stored`);
    const peakMb = service.peakBytes() / 1e6;
    return {
      title: 'Sixteen gateways come back after 72 hours',
      method: [
        `${GATEWAYS} gateways of one site with ${ENTRIES_EACH} entries each (5,000 holders who pass four of 200 doors a day, with four entries a passage, leave 15,000 in 72 hours) find the cloud at once: \`sparc-cloud serve\` with its broker inside and PostgreSQL, on one machine with them. Until each has the signature of the cloud that all of its log is stored.`,
      ],
      targets: [
        {
          what: 'all is acknowledged',
          target: `< ${TARGET_S} s`,
          measured: `${seconds.toFixed(1)} s`,
          met: seconds < TARGET_S,
        },
        {
          what: 'memory of the service',
          target: `< ${MEMORY_TARGET_MB} MB`,
          measured: `${peakMb.toFixed(0)} MB`,
          met: peakMb < MEMORY_TARGET_MB,
        },
      ],
      tables: [
        {
          caption: 'In all',
          columns: [
            'entries',
            'stored, each once',
            'a second',
            'MB from gateways',
            's of processor, service',
            'and PostgreSQL',
          ],
          rows: [
            [
              entriesCount,
              storedCount,
              Math.round(entriesCount / seconds),
              (sentBytes / 1e6).toFixed(1),
              ...cpuMs.map((ms) => (ms / 1_000).toFixed(1)),
            ],
          ],
        },
      ],
    };
  } finally {
    await service.stop();
  }
}
