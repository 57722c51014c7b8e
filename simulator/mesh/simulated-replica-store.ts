import { SparcError } from '@sparc/protocol/errors';
import type { Batch, EpochId } from '@sparc/protocol/ledger';
import type { ReplicaAppend, ReplicaStore } from '@sparc/protocol/ports';
import type { AuthorLog, EpochEnd, Fork } from '@sparc/protocol/replication';
import type { ReplicaDisk, ReplicaWrite } from './replica-disk.js';
import { SimulatedLog } from './simulated-log.js';

/** Where in a transaction a machine can die. */
export const STORE_PHASES = ['beforeStore', 'afterStore'] as const;
export type StorePhase = (typeof STORE_PHASES)[number];

/** The logs of other authors on a simulated disk, as one process has them open. */
export class SimulatedReplicaStore implements ReplicaStore {
  readonly #logs = new Map<string, SimulatedLog>();
  readonly #held = new Map<string, AuthorLog>();
  #forks: readonly Fork[] = [];

  /** `onPhase` returns true where the machine dies: then the call throws, and the process is not heard of again. */
  constructor(
    private readonly disk: ReplicaDisk,
    private readonly onPhase: (phase: StorePhase) => boolean = () => false,
  ) {
    for (const write of disk.writes) this.#take(write);
  }

  logs(): ReadonlyMap<string, AuthorLog> {
    return this.#held;
  }

  sizeBytes(author: string): number {
    return this.#logs.get(author)?.sizeBytes ?? 0;
  }

  hashAt(author: string, epoch: EpochId, sequence: number): Uint8Array | undefined {
    return this.#logs.get(author)?.hashAt(epoch, sequence);
  }

  append(appends: readonly ReplicaAppend[], forks: readonly Fork[]): void {
    this.#write({ appends, forks });
  }

  empty(author: string, to: EpochEnd): boolean {
    if (this.#logs.get(author)?.isEmptied(to) !== false) return false;
    this.#write({ appends: [], forks: [], emptied: { author, to } });
    return true;
  }

  batchAfter(author: string, after: EpochEnd): Batch | undefined {
    return this.#logs.get(author)?.batchAfter(after);
  }

  forks(): readonly Fork[] {
    return this.#forks;
  }

  close(): void {
    // Nothing is held.
  }

  #write(write: ReplicaWrite): void {
    if (this.onPhase('beforeStore')) throw new Error('the power went before the transaction was on disk');
    if (this.disk.refuses) throw new SparcError('ERR_LEDGER_WRITE_FAILED', 'the simulated disk refuses');
    this.disk.write(write);
    if (this.onPhase('afterStore')) throw new Error('the power went when the transaction was on disk');
    this.#take(write);
  }

  #take({ appends, forks, emptied }: ReplicaWrite): void {
    for (const append of appends) {
      const author = Buffer.from(append.head.author).toString('hex');
      const log = this.#logs.get(author) ?? new SimulatedLog();
      this.#logs.set(author, log);
      log.add(append);
      this.#held.set(author, log.log);
    }
    if (emptied !== undefined) this.#logs.get(emptied.author)?.empty(emptied.to);
    if (forks.length > 0) this.#forks = [...this.#forks, ...forks];
  }
}
