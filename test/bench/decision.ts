import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { median, type BenchReport } from './bench.js';
import type { DecisionFigures } from './decision-child.js';
import type { PeersFigures } from './decision-peers-child.js';
import { buildDataDir, type Rules } from './decision-site.js';

/** Credentials at which the peers are measured too. */
const SMALLEST = 1_000;
/** Each population is measured in so many processes; the median of each figure counts. */
const RUNS_COUNT = 3;
const DECISIONS_COUNT = 100_000;
const PEER_DECISIONS_COUNT = 20_000;

const runFile = promisify(execFile);

/** Runs a script of this folder and reads the line of JSON that it prints. */
async function child(script: string, ...args: readonly (string | number)[]): Promise<unknown> {
  const { stdout } = await runFile(process.execPath, [join(import.meta.dirname, script), ...args.map(String)], {
    maxBuffer: 16 * 1_048_576,
  });
  return JSON.parse(stdout);
}

async function times<T>(count: number, once: () => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let index = 0; index < count; index++) results.push(await once());
  return results;
}

const micro = (value: number): string => value.toFixed(1);
const whole = (value: number): string => value.toFixed(0);
const thousands = (value: number): string => value.toLocaleString('en-US');

interface Population {
  readonly credentialsCount: number;
  readonly buildS: number;
  readonly sizeMb: number;
  readonly firstDecisionMs: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly rssMb: number;
  readonly answers: string;
}

/** `between` runs after each process, so that what it measures meets the same load of the machine. */
async function measure(
  credentialsCount: number,
  rules: Rules = 'every',
  between?: () => Promise<unknown>,
): Promise<Population> {
  const dataDir = mkdtempSync(join(tmpdir(), 'sparc-bench-'));
  try {
    const before = performance.now();
    buildDataDir(dataDir, credentialsCount, rules);
    const buildS = (performance.now() - before) / 1_000;
    const policy = join(dataDir, 'policy');
    const database = readdirSync(policy).find((name) => name.endsWith('.db')) ?? '';
    const runs = await times(RUNS_COUNT, async () => {
      const figures = await child('decision-child.js', dataDir, credentialsCount, DECISIONS_COUNT);
      await between?.();
      return figures as DecisionFigures;
    });
    const of = (figure: 'firstDecisionMs' | 'p50Us' | 'p99Us' | 'rssMb') => median(runs.map((run) => run[figure]));
    return {
      credentialsCount,
      buildS,
      sizeMb: statSync(join(policy, database)).size / 1e6,
      firstDecisionMs: of('firstDecisionMs'),
      p50Us: of('p50Us'),
      p99Us: of('p99Us'),
      rssMb: of('rssMb'),
      answers: runs[0]?.answers ?? '',
    };
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
}

/** Decisions on the real store at three populations, beside casbin and Cedar at the smallest. */
export async function run(): Promise<BenchReport> {
  const peerRuns: PeersFigures[] = [];
  const alike = await measure(SMALLEST, 'peers', async () => {
    peerRuns.push((await child('decision-peers-child.js', SMALLEST, PEER_DECISIONS_COUNT)) as PeersFigures);
  });
  const small = await measure(SMALLEST);
  const middle = await measure(100_000);
  const large = await measure(1_000_000);
  const populations = [small, middle, large];
  const peer = (name: 'casbin' | 'cedar') => ({
    p50Us: median(peerRuns.map((run) => run[name].p50Us)),
    p99Us: median(peerRuns.map((run) => run[name].p99Us)),
  });
  for (const name of ['casbin', 'cedar'] as const) {
    if (peerRuns.some((run) => run[name].answers !== alike.answers)) throw new Error(`${name} answers otherwise`);
  }
  if (alike.answers !== small.answers) throw new Error('the rules that everybody keeps change answers');
  const casbin = peer('casbin');
  const cedar = peer('cedar');
  const ratio = (p50Us: number): number => p50Us / alike.p50Us;
  const grants = small.answers.split('1').length - 1;

  return {
    title: 'Decisions',
    method: [
      `Random cards at random access points of a policy file: card bits decoded, credential, rights and schedule looked up, every check evaluated, and with rules for all that can be kept for everybody: clearance by threat level, a limit of uses, hard anti-passback and occupancy of an area with 500 others in it, a delay between uses, an age of the policy, and 1,000 revocations. The store remembers the 2,048 credentials it read last: at 1,000 credentials all of them, as casbin and Cedar hold all of theirs in memory; the larger populations are presented evenly, so there almost none. ` +
        `Each figure is the median of ${RUNS_COUNT} processes with ${thousands(DECISIONS_COUNT)} timed decisions each. ` +
        `The first decision is counted from the start of the process and includes Node, the modules, the verification of the whole policy file and its opening, with the file in the page cache of the system.`,
      `casbin (\`enforceSync\`) and Cedar (\`statefulIsAuthorized\`, policies parsed once) are compared with SPARC Edge over the same rights, hours and validity, without those other rules, at ${thousands(SMALLEST)} credentials, sharded by access point, with the credential already identified. ` +
        `The three give the same answer to ${thousands(small.answers.length)} presentations, of which ${thousands(grants)} are granted. ` +
        `A hit in casbin's cache takes ${micro(median(peerRuns.map((run) => run.casbinCacheHitUs)))} µs; it is no decision, since an answer holds only while neither the minute nor the policy moves.`,
    ],
    targets: [
      {
        what: '1,000,000 credentials, p50',
        target: '< 20 µs',
        measured: `${micro(large.p50Us)} µs`,
        met: large.p50Us < 20,
      },
      {
        what: '1,000,000 credentials, p99',
        target: '< 100 µs',
        measured: `${micro(large.p99Us)} µs`,
        met: large.p99Us < 100,
      },
      {
        what: '1,000,000 credentials, RSS',
        target: '< 150 MB',
        measured: `${whole(large.rssMb)} MB`,
        met: large.rssMb < 150,
      },
      {
        what: '1,000,000 credentials, first decision',
        target: '< 2 s',
        measured: `${(large.firstDecisionMs / 1_000).toFixed(2)} s`,
        met: large.firstDecisionMs < 2_000,
      },
      {
        what: '1,000 credentials, beside casbin',
        target: '≥ 10 ×',
        measured: `${ratio(casbin.p50Us).toFixed(1)} ×`,
        met: ratio(casbin.p50Us) >= 10,
      },
      {
        what: '1,000 credentials, beside Cedar',
        target: '≥ 10 ×',
        measured: `${ratio(cedar.p50Us).toFixed(1)} ×`,
        met: ratio(cedar.p50Us) >= 10,
      },
    ],
    tables: [
      {
        caption: 'SPARC Edge',
        columns: ['credentials', 'p50 µs', 'p99 µs', 'RSS MB', 'first decision ms', 'policy file MB', 'built in s'],
        rows: populations.map((one) => [
          thousands(one.credentialsCount),
          micro(one.p50Us),
          micro(one.p99Us),
          whole(one.rssMb),
          whole(one.firstDecisionMs),
          whole(one.sizeMb),
          one.buildS.toFixed(1),
        ]),
      },
      {
        caption: `At ${thousands(SMALLEST)} credentials`,
        columns: ['engine', 'p50 µs', 'p99 µs', 'times slower at p50'],
        rows: [
          ['SPARC Edge, the same rules', micro(alike.p50Us), micro(alike.p99Us), '1'],
          ['SPARC Edge, every rule', micro(small.p50Us), micro(small.p99Us), ratio(small.p50Us).toFixed(1)],
          ['casbin', micro(casbin.p50Us), micro(casbin.p99Us), ratio(casbin.p50Us).toFixed(1)],
          ['Cedar', micro(cedar.p50Us), micro(cedar.p99Us), ratio(cedar.p50Us).toFixed(1)],
        ],
      },
    ],
  };
}
