import { SITE_FILE } from '../support/site-file.js';
import type { BenchReport } from './bench.js';
import { CloudService, peopleTable, SITE } from './cloud-service.js';

const PEOPLE = Number(process.env.SPARC_BENCH_PEOPLE ?? 1_000_000);
const MEMORY_TARGET_MB = 500;
const STALL_TARGET_MS = 100;

/** What one thing took that people do with a draft. */
interface Step {
  readonly name: string;
  readonly seconds: number;
  readonly longestAnswerMs: number;
  readonly peakMb: number;
}

export async function run(onPart: (report: BenchReport) => void): Promise<BenchReport> {
  const service = await CloudService.start();
  const policy = `/sites/${SITE}/policy`;
  const steps: Step[] = [];
  const step = async (name: string, work: () => Promise<unknown>) => {
    const startMs = performance.now();
    const longestAnswerMs = await service.longestAnswerMs(work);
    steps.push({
      name,
      seconds: (performance.now() - startMs) / 1_000,
      longestAnswerMs,
      peakMb: service.peakBytes() / 1e6,
    });
    onPart(report(steps));
  };
  try {
    await service.call('PUT', `${policy}/site-file`, SITE_FILE);
    const table = peopleTable(PEOPLE);
    await step(`import of ${(table.length / 1e6).toFixed(0)} MB of CSV`, () => service.importPeople(table));
    await step('publish', () => service.call('POST', `${policy}/revisions`, {}));
    await service.call('PUT', `${policy}/objects/credentialHolders/zoe`, { id: 'zoe', name: 'Zoe' });
    await step('what differs, with one person more', () => service.call('GET', `${policy}/diff?limit=100`));
    await step('publish that', () => service.call('POST', `${policy}/revisions`, {}));
    await step('the site file', () => service.receivedBytes(`${policy}/site-file`));
    return report(steps);
  } finally {
    await service.stop();
  }
}

function report(steps: readonly Step[]): BenchReport {
  const peakMb = Math.max(...steps.map(({ peakMb: mb }) => mb));
  const longestMs = Math.max(...steps.map(({ longestAnswerMs: ms }) => ms));
  return {
    title: 'Publishing the policy of a large site in the cloud',
    method: [
      `\`sparc-cloud serve\` in a process of its own over PostgreSQL on the same machine; a table of ${PEOPLE} holders with a card and a PIN each comes by HTTP. Memory is the peak of the process up to then; meanwhile it is asked every few milliseconds whether it is well, and the longest answer is a bound of how long it did nothing else.`,
    ],
    targets: [
      {
        what: 'memory of the process',
        target: `< ${MEMORY_TARGET_MB} MB`,
        measured: `${peakMb.toFixed(0)} MB`,
        met: peakMb < MEMORY_TARGET_MB,
      },
      {
        what: 'the longest answer',
        target: `< ${STALL_TARGET_MS} ms`,
        measured: `${longestMs.toFixed(0)} ms`,
        met: longestMs < STALL_TARGET_MS,
      },
    ],
    tables: [
      {
        caption: 'What people do with it, one after the other',
        columns: ['', 'seconds', 'longest answer, ms', 'peak memory, MB'],
        rows: steps.map(({ name, seconds, longestAnswerMs, peakMb: mb }) => [
          name,
          seconds.toFixed(1),
          longestAnswerMs.toFixed(0),
          mb.toFixed(0),
        ]),
      },
    ],
  };
}
