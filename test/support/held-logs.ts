import { toHex } from '@sparc/edge/platform';
import type { ReadableLogs } from '@sparc/edge/replica';
import { nodeCrypto } from '@sparc/edge/ledger';
import type { Batch } from '@sparc/protocol/ledger';
import type { LogCommit, Signer } from '@sparc/protocol/ports';
import { accept, type AuthorLog, type EpochEnd } from '@sparc/protocol/replication';
import { appendOf, SimulatedLog } from '@sparc/simulator/mesh';

/** The logs of a site as a gateway holds them. */
export class HeldLogs implements ReadableLogs {
  readonly #logs = new Map<string, SimulatedLog>();

  add(author: Signer, commits: readonly LogCommit[]): void {
    for (const commit of commits) this.#of(toHex(author.publicKey)).add(appendOf(commit));
  }

  /** Throws as `accept` does. */
  take(batch: Batch): void {
    const log = this.#of(toHex(batch.author));
    const taken = accept(nodeCrypto, log.log, (epoch, sequence) => log.hashAt(epoch, sequence), batch);
    if (taken.kind === 'append') log.add(taken);
  }

  /** `epoch/sequence` of the last entry of each epoch. */
  ends(author: Pick<Signer, 'publicKey'>): readonly string[] {
    const { log } = this.#of(toHex(author.publicKey));
    return log.map(({ head: { epoch, sequence } }) => `${epoch.counter}/${sequence}`);
  }

  logs = (): ReadonlyMap<string, AuthorLog> => new Map([...this.#logs].map(([author, { log }]) => [author, log]));

  batchAfter = (author: string, after: EpochEnd): Batch | undefined => this.#logs.get(author)?.batchAfter(after);

  #of(author: string): SimulatedLog {
    const log = this.#logs.get(author) ?? new SimulatedLog();
    this.#logs.set(author, log);
    return log;
  }
}
