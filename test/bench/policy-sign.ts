import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BenchReport } from './bench.js';
import type { SignedRound } from './policy-sign-child.js';

const CREDENTIALS_COUNT = 1_000_000;
const MEMORY_TARGET_MB = 256;
/** What a change of one credential may cost a gateway. */
const CHANGE_TARGET_BYTES = 65_536;

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

/** The authority signs a site of a million credentials as a stream, then the same with one credential changed. */
export async function run(): Promise<BenchReport> {
  const folder = mkdtempSync(join(tmpdir(), 'sparc-bench-'));
  try {
    const child = fileURLToPath(new URL('policy-sign-child.js', import.meta.url));
    const rounds = [-1, CREDENTIALS_COUNT / 2].map((changed): SignedRound => {
      const args = [child, folder, String(CREDENTIALS_COUNT), String(changed)];
      const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', maxBuffer: 1e8 });
      if (status !== 0) throw new Error(stderr);
      return JSON.parse(stdout) as SignedRound;
    });
    return report(rounds as [SignedRound, SignedRound]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function report([first, changed]: [SignedRound, SignedRound]): BenchReport {
  const peak = Math.max(first.peakBytes, changed.peakBytes);
  return {
    title: 'Signing the policy of a large site',
    method: [
      `The authority cuts ${CREDENTIALS_COUNT} credentials, each of a holder of its own, into parts, puts these on disk and signs the revision; a fresh process does it again with one credential changed. Memory is the peak of the process.`,
    ],
    targets: [
      {
        what: 'memory of the process',
        target: `<= ${MEMORY_TARGET_MB} MB`,
        measured: megabytes(peak),
        met: peak <= MEMORY_TARGET_MB * 1e6,
      },
      {
        what: 'bytes that a gateway fetches for one changed credential',
        target: `<= ${CHANGE_TARGET_BYTES}`,
        measured: String(changed.newBytes + changed.bodyBytes),
        met: changed.newBytes + changed.bodyBytes <= CHANGE_TARGET_BYTES,
      },
    ],
    tables: [
      {
        caption: 'Both revisions',
        columns: ['', 'seconds', 'peak memory', 'new parts', 'new bytes', 'entry in the log'],
        rows: [first, changed].map(({ seconds, peakBytes, newPartsCount, newBytes, bodyBytes }, index) => [
          index === 0 ? 'all of it' : 'one credential changed',
          seconds.toFixed(1),
          megabytes(peakBytes),
          newPartsCount,
          newBytes,
          bodyBytes,
        ]),
      },
    ],
  };
}
