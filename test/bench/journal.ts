import { closeSync, fdatasyncSync, mkdirSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { Database } from '@sparc/edge/platform';
import { JournalClient, JOURNAL_FILE, verifyLedger } from '@sparc/edge/ledger';
import { createNodeClock } from '@sparc/edge/platform';
import type { EventRecord } from '@sparc/protocol/events';
import { percentile, type BenchReport, type BenchTable } from './bench.js';

const ENTRIES = 2_000;
const GROUPED = 20_000;
const PARALLEL = [8, 64, 512] as const;
/** The largest part of the 20 ms from card to unlock that the record may take. */
const APPEND_P99_MS = 10;

const grant: EventRecord = {
  name: 'access.granted',
  accessPointId: 'front-in',
  doorId: 'front',
  deviceId: 'front-reader',
  credentialId: 'c-000123',
  holderId: 'h-000123',
  card: { bitCount: 26, bits: new Uint8Array(4), formatId: 'H10301', facility: 12, cardNumber: '3456' },
  inputs: {
    atUnixMs: 1_767_600_000_000,
    timeQuality: 'synced',
    policyRevision: 'r1',
    direction: 'entry',
    linkSecure: true,
    linkTampered: false,
    readAgeMs: 41.5,
    pin: 'none',
    lockedOut: false,
  },
};

const millis = (samples: readonly number[]) => {
  const sorted = Float64Array.from(samples).sort();
  return [percentile(sorted, 0.5), percentile(sorted, 0.99), sorted.at(-1) ?? NaN] as const;
};
const shown = (values: readonly number[]) => values.map((value) => value.toFixed(2));

/** The same disk without a journal: what a flush of 512 bytes costs, bare and inside SQLite. */
function bareDisk(folder: string): readonly (readonly [string, readonly number[]])[] {
  const bytes = Buffer.alloc(512);
  const file = openSync(join(folder, 'bare'), 'w');
  const flushes = timed(() => {
    writeSync(file, bytes);
    fdatasyncSync(file);
  });
  closeSync(file);
  const database = new Database(join(folder, 'bare.db'));
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = FULL');
  database.exec('CREATE TABLE entry (content BLOB)');
  const insert = database.prepare('INSERT INTO entry VALUES (?)');
  const inserts = timed(() => insert.run(bytes));
  database.close();
  return [
    ['write and fdatasync, 512 bytes', flushes],
    ['SQLite insert, synchronous=FULL, 512 bytes', inserts],
  ];
}

function timed(once: () => unknown): number[] {
  return Array.from({ length: ENTRIES }, () => {
    const startMs = performance.now();
    once();
    return performance.now() - startMs;
  });
}

export async function run(): Promise<BenchReport> {
  // Not in /tmp, which may be memory.
  const folder = mkdtempSync(join(import.meta.dirname, 'journal-'));
  const dataDir = join(folder, 'data');
  mkdirSync(dataDir);
  try {
    const bare = bareDisk(folder);
    const journal = new JournalClient(createNodeClock(), { dataDir, siteId: 'bench' });
    await journal.start();
    await journal.append({ record: { name: 'policy.loaded', detail: { revision: 'r1' } } });
    const append = () => journal.append({ record: grant, expectedPolicyRevision: 'r1' });

    const alone: number[] = [];
    for (let index = 0; index < ENTRIES; index++) {
      const startMs = performance.now();
      await append();
      alone.push(performance.now() - startMs);
    }
    const grouped: (string | number)[][] = [];
    for (const parallel of PARALLEL) {
      let left = GROUPED;
      const startMs = performance.now();
      await Promise.all(
        Array.from({ length: parallel }, async () => {
          while (left-- > 0) await append();
        }),
      );
      grouped.push([parallel, Math.round(GROUPED / ((performance.now() - startMs) / 1_000))]);
    }
    await journal.stop();

    const again = new JournalClient(createNodeClock(), { dataDir, siteId: 'bench' });
    const startMs = performance.now();
    await again.start();
    const restartMs = performance.now() - startMs;
    await again.stop();
    const verifyStartMs = performance.now();
    const { ok, entryCount } = verifyLedger(join(dataDir, JOURNAL_FILE));
    const verifyMs = performance.now() - verifyStartMs;
    if (!ok) throw new Error('the journal of the bench does not verify');

    const p99 = millis(alone)[1];
    const latencies: BenchTable = {
      caption: 'One entry at a time, milliseconds',
      columns: ['what', 'p50', 'p99', 'max'],
      rows: [
        ['append through the journal thread, signed head included', ...shown(millis(alone))],
        ...bare.map(([what, samples]) => [what, ...shown(millis(samples))]),
      ],
    };
    return {
      title: 'Journal',
      method: [
        `Records of a grant, ${ENTRIES} one after the other and ${GROUPED} by so many at once, from the field's thread through the journal's thread to a flush and back, on the disk of the checkout.`,
      ],
      targets: [
        {
          what: "the record's part of card read to unlock (p99 < 20 ms in all)",
          target: `p99 < ${APPEND_P99_MS} ms`,
          measured: `${p99.toFixed(2)} ms`,
          met: p99 < APPEND_P99_MS,
        },
      ],
      tables: [
        latencies,
        { caption: 'Group commit', columns: ['appends at once', 'entries/s'], rows: grouped },
        {
          caption: `A journal of ${entryCount} entries`,
          columns: ['what', 'ms'],
          rows: [
            ['start of the thread, to its new epoch on disk', Math.round(restartMs)],
            ['verification of every entry and head', Math.round(verifyMs)],
          ],
        },
      ],
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
