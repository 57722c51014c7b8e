import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SiteAuthorities } from '@sparc/cloud-sync/authority';
import type { Database } from '@sparc/cloud-sync/db';
import { FileAuthorityKeys, type AuthorityKeys } from '@sparc/cloud-sync/identity';
import { nodeCrypto, nodePartTools } from '@sparc/cloud-sync/platform';
import { isSparcError } from '@sparc/protocol/errors';
import { EntryContent, type Batch } from '@sparc/protocol/ledger';
import { accept, endsOf, grown, type AuthorLog, type EpochEnd } from '@sparc/protocol/replication';
import { SeededRandom, VirtualClock } from '@sparc/simulator/world';
import type { Test } from '../../support/databases.js';

const START = Date.parse('2026-11-02T08:00:00Z');

/** The cloud's authorities; `authorities` makes those of another process, with keys in files or with others. */
export function authorityScene(t: Test) {
  const folder = mkdtempSync(join(tmpdir(), 'sparc-cloud-keys-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const clock = new VirtualClock({ startUnixMs: START });
  const random = new SeededRandom(7);
  const deps = {
    clock,
    random,
    crypto: nodeCrypto,
    partTools: nodePartTools,
    keys: new FileAuthorityKeys(folder, random),
  };
  const authorities = (database: Database, keys: AuthorityKeys = deps.keys) =>
    new SiteAuthorities({ ...deps, keys, database });
  return { folder, clock, authorities };
}

/** What a gateway holds of the log of an authority, and takes of it. */
export class Follower {
  log: AuthorLog = [];
  readonly entries: EntryContent[] = [];
  forks = 0;

  /** Takes all that follows, as often as there is more; returns how many batches that were. */
  async follow(batchesAfter: (ends: readonly EpochEnd[]) => Promise<readonly Batch[]>): Promise<number> {
    let count = 0;
    for (;;) {
      const batches = await batchesAfter(endsOf(this.log));
      if (batches.length === 0) return count;
      count += batches.length;
      for (const batch of batches) this.take(batch);
    }
  }

  take(batch: Batch): void {
    const taken = accept(nodeCrypto, this.log, () => undefined, batch);
    if (taken.kind !== 'append') throw new Error(taken.kind);
    if (taken.fork !== undefined) this.forks += 1;
    this.log = grown(this.log, taken);
    this.entries.push(...taken.entries.map(({ content }) => EntryContent.decode(content)));
  }

  get kinds(): readonly string[] {
    return this.entries.map(({ kind }) => kind);
  }
}

export async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'done';
  } catch (error) {
    return isSparcError(error) ? error.code : String(error);
  }
}
