import { nodeCrypto } from '@sparc/edge/ledger';
import { hasEmptiedEarly, Replicator, type FullReason, type OwnLog } from '@sparc/edge/replica';
import type { Batch, EpochId, SignedHead } from '@sparc/protocol/ledger';
import type { Clock, LogCommit, MeshNetwork } from '@sparc/protocol/ports';
import { tipsOf, type AuthorLog, type EpochEnd, type Fork } from '@sparc/protocol/replication';
import { appendOf, ReplicaDisk, SimulatedLog, SimulatedReplicaStore } from '@sparc/simulator/mesh';
import { batchesOf } from '../../support/test-batches.js';
import { TestChain } from '../../support/test-chain.js';
import { testSigner } from '../../support/test-signer.js';

export const SITE = 'harbour';
export const opened = { name: 'door.opened', doorId: 'front' };
export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
export const keyOf = (number: number): string => hex(testSigner(number).publicKey);
/** Says who belongs to the site. */
const AUTHORITY = keyOf(200);

/** What connects the machines of a site. */
interface Mesh {
  readonly clock: Clock;
  join(machine: string, key: string): MeshNetwork;
}

/** One gateway of a site: its own log, its replicas, and the program between them and the network. */
export class GatewayInMesh implements OwnLog {
  readonly author: string;
  readonly chain: TestChain;
  readonly disk = new ReplicaDisk();
  readonly forks: Fork[] = [];
  readonly failures: unknown[] = [];
  readonly stored: string[] = [];
  /** Authors for whom there is no room, and those of whom that was told. */
  readonly fullFor = new Map<string, FullReason>();
  readonly full: string[] = [];
  /** Of authors who were expelled. */
  readonly attested = new Map<string, readonly SignedHead[]>();
  own = new SimulatedLog();
  /** Signatures that it checked. */
  checkedCount = 0;
  #running: { readonly replicator: Replicator; readonly store: SimulatedReplicaStore } | undefined;

  constructor(
    private readonly mesh: Mesh,
    readonly machine: string,
    number: number,
    private readonly isAuthor: (author: string) => boolean,
  ) {
    this.author = keyOf(number);
    this.chain = new TestChain(testSigner(number));
  }

  get replicator(): Replicator {
    if (this.#running === undefined) throw new Error(`${this.machine} does not run`);
    return this.#running.replicator;
  }

  async start(): Promise<void> {
    const store = new SimulatedReplicaStore(this.disk);
    const replicator = new Replicator({
      clock: this.mesh.clock,
      crypto: {
        ...nodeCrypto,
        verify: (...signed) => {
          this.checkedCount += 1;
          return nodeCrypto.verify(...signed);
        },
      },
      network: this.mesh.join(this.machine, this.author),
      store,
      ownLog: this,
      siteId: SITE,
      authority: AUTHORITY,
      isAuthor: this.isAuthor,
      attestedHeads: (author) => this.attested.get(author),
      hasEmptiedEarly: (batch) => hasEmptiedEarly(batch, this.mesh.clock.wall()),
      onStored: (author) => this.stored.push(author),
      fullFor: (author) => this.fullFor.get(author),
      onFull: (author, reason) => this.full.push(`${author} ${reason}`),
      onFork: (fork) => this.forks.push(fork),
      onFailure: (error) => this.failures.push(error),
    });
    this.#running = { replicator, store };
    await replicator.start();
  }

  get store(): SimulatedReplicaStore {
    if (this.#running === undefined) throw new Error(`${this.machine} does not run`);
    return this.#running.store;
  }

  async stop(): Promise<void> {
    await this.#running?.replicator.stop();
    this.#running = undefined;
  }

  /** Records, and tells: `push` with the entries themselves. */
  commit(commit: LogCommit, push = true): void {
    this.own.add(appendOf(commit));
    const [batch] = batchesOf([commit]);
    const opens = commit.entries[0]?.sequence === 1;
    const before = this.own.hashAt(commit.head.epoch, (commit.entries[0]?.sequence ?? 1) - 1);
    const whole = batch && !opens && before !== undefined ? { ...batch, previousHash: before } : batch;
    this.#running?.replicator.ownCommitted(push ? whole : undefined);
  }

  log(): AuthorLog {
    return this.own.log;
  }

  hashAt(epoch: EpochId, sequence: number): Uint8Array | undefined {
    return this.own.hashAt(epoch, sequence);
  }

  batchAfter(after: EpochEnd): Batch | undefined {
    return this.own.batchAfter(after);
  }

  /** All that it holds, its own log included: by author, the tips and every hash. */
  holding(): Record<string, string[]> {
    const logs = new Map(this.#running?.store.logs()).set(this.author, this.log());
    return Object.fromEntries(
      [...logs].sort().map(([author, log]) => [author, tipsOf(log).map(({ hash }) => hex(hash))]),
    );
  }

  evidence(): readonly Fork[] {
    return this.#running?.store.forks() ?? [];
  }
}
