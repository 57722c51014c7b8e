import { createHash } from 'node:crypto';
import type { PublisherDeps } from '@sparc/cloud-sync/link';
import type { Batch } from '@sparc/protocol/ledger';
import type { LogCommit } from '@sparc/protocol/ports';
import type { EpochEnd } from '@sparc/protocol/replication';
import { missingAfter } from '@sparc/protocol/replication';
import { appendOf, SimulatedLog } from '@sparc/simulator/mesh';

type Source = PublisherDeps['authority'];

/** What the authority of a site said, and parts of its policy, without a database. */
export class MemoryAuthority implements Source {
  readonly #log = new SimulatedLog();
  readonly #parts = new Map<string, Uint8Array>();

  /** The commit as it goes over a wire. */
  say(commit: LogCommit): Batch {
    const { epoch, sequence } = commit.head;
    this.#log.add(appendOf(commit));
    const batch = this.#log.batchAfter({ epoch, sequence: sequence - commit.entries.length });
    if (batch === undefined) throw new Error('a batch');
    return batch;
  }

  /** Its name. */
  keep(content: Uint8Array): string {
    const hash = createHash('sha256').update(content).digest('hex');
    this.#parts.set(hash, content);
    return hash;
  }

  batches(_site: unknown, after: readonly EpochEnd[]): Promise<readonly Batch[]> {
    return Promise.resolve(missingAfter(this.#log.log, after).flatMap((end) => this.#log.batchAfter(end) ?? []));
  }

  parts(_site: unknown, hashes: readonly string[]): Promise<ReadonlyMap<string, Uint8Array>> {
    return Promise.resolve(new Map([...this.#parts].filter(([hash]) => hashes.includes(hash))));
  }
}
