import { JournalWriter } from '@sparc/edge/ledger';
import { hasEmptiedEarly, Replicator, type ReadableLogs } from '@sparc/edge/replica';
import { Uplink } from '@sparc/edge/uplink';
import type { EventRecord } from '@sparc/protocol/events';
import type { LedgerCrypto, SignedHead } from '@sparc/protocol/ledger';
import type { Clock, LogCommit, ReplicaStore, Signer } from '@sparc/protocol/ports';
import {
  appendOf,
  ReplicaDisk,
  SimulatedLog,
  SimulatedReplicaStore,
  type ReplicaWrite,
  type SimulatedMesh,
  type StorePhase,
} from '../mesh/index.js';
import type { CloudKnowledge } from '../scenarios/index.js';
import { SimulatedDisk, type DurableItem, type SeededRandom } from '../world/index.js';
import type { MeshCloud } from './mesh-cloud.js';
import { MachineEmptying, type MachineEmptyingDeps } from './machine-emptying.js';
import { ProcessClock } from './process-clock.js';
import { SimulatedLogStore, type CommitPhase, tellingCommits } from './simulated-log-store.js';

/** No machine has this key: who belongs to the site is said by `expel`. */
const NO_AUTHORITY = '';

export interface MeshMachineDeps {
  readonly clock: Clock;
  readonly random: SeededRandom;
  readonly crypto: LedgerCrypto;
  readonly mesh: SimulatedMesh;
  readonly siteId: string;
  /** Whose logs belong to the site, by public key in hex. */
  isAuthor(author: string): boolean;
  /** The same, all of them. */
  authors(): readonly string[];
  /** Where there is one. */
  cloud(): MeshCloud | undefined;
  /** Entries that the cloud has are kept beside it for so long; undefined: for ever. */
  readonly keptMs?: number | undefined;
  /** A commit of its journal is on its platter. */
  onCommitted(commit: LogCommit): void;
}

/** For seeded defects: what stands between the real parts. */
export interface MeshWrappers {
  readonly store?: (store: ReplicaStore) => ReplicaStore;
  readonly isAuthor?: (author: string) => boolean;
  /** It takes no notice of an expulsion. */
  readonly isDeaf?: boolean;
  /** It empties at once what the cloud says to have. */
  readonly isEager?: boolean;
}

/** All that is on a machine's disks. */
export interface MachineImage {
  readonly journal: readonly DurableItem<LogCommit>[];
  readonly replicas: readonly ReplicaWrite[];
}

interface Program {
  readonly clock: ProcessClock;
  readonly writer: JournalWriter;
  readonly replicator: Replicator;
  readonly uplink: Uplink | undefined;
}

/**
 * A machine with a gateway's real journal and replicator on it, and its link to a cloud: it can lose its power at any
 * instant, and its disks can be exchanged.
 */
export class MeshMachine {
  readonly key: string;
  readonly journalDisk: SimulatedDisk<LogCommit>;
  readonly replicaDisk = new ReplicaDisk();
  /** Asked at each phase of each transaction; true: the machine dies there. */
  onPhase: (phase: CommitPhase | StorePhase) => boolean = () => false;
  /** By author who was expelled, as its roster says. */
  readonly #attested = new Map<string, readonly SignedHead[]>();
  /** What the cloud signed to have, on its disk. */
  #words: readonly Uint8Array[] = [];
  #process: Program | undefined;

  constructor(
    readonly name: string,
    readonly signer: Signer,
    private readonly deps: MeshMachineDeps,
    private readonly wrappers: MeshWrappers = {},
  ) {
    this.key = Buffer.from(signer.publicKey).toString('hex');
    this.journalDisk = new SimulatedDisk(deps.clock, deps.random.fork('journal'));
  }

  get running(): boolean {
    return this.#process !== undefined;
  }

  /** Power on. */
  start(): void {
    const { random, crypto, mesh, siteId } = this.deps;
    const { isAuthor = (author) => this.deps.isAuthor(author) } = this.wrappers;
    const clock = new ProcessClock(this.deps.clock, () => this.deps.clock.wall());
    const own = new SimulatedLog();
    for (const commit of this.journalDisk.items()) {
      own.add(appendOf(commit));
      // A machine may have died before it could say so.
      this.deps.onCommitted(commit);
    }
    const replicas = new SimulatedReplicaStore(this.replicaDisk, (phase) => this.onPhase(phase));
    const held = this.wrappers.store?.(replicas) ?? replicas;
    const joined = mesh.join(this.name, this.key);
    const emptying = this.#emptying({ clock, network: joined, store: held, own });
    const replicator = new Replicator({
      clock,
      crypto,
      network: emptying?.network ?? joined,
      store: held,
      ownLog: {
        author: this.key,
        log: () => own.log,
        hashAt: (epoch, sequence) => own.hashAt(epoch, sequence),
        batchAfter: (after) => own.batchAfter(after),
      },
      siteId,
      authority: NO_AUTHORITY,
      isAuthor,
      attestedHeads: (author) => this.#attested.get(author),
      hasEmptiedEarly: (batch) => hasEmptiedEarly(batch, clock.wall(), this.deps.keptMs),
      onStored: () => uplink?.grew(),
      fullFor: () => undefined,
      onFull: () => undefined,
      onFork: () => undefined,
      onFailure: () => undefined,
    });
    const uplink = this.#uplink(clock, replicator.logs, (word) => emptying?.heard(word));
    const journal = new SimulatedLogStore(this.journalDisk, (phase) => this.onPhase(phase));
    const store = tellingCommits(journal, (commit) => {
      own.add(appendOf(commit));
      this.deps.onCommitted(commit);
      const [first] = commit.entries;
      const batch = first && own.batchAfter({ epoch: first.epoch, sequence: first.sequence - 1 });
      replicator.ownCommitted(batch);
      uplink?.grew();
    });
    const writer = new JournalWriter({ store, signer: this.signer, clock, random, crypto }, { siteId });
    this.#process = { clock, writer, replicator, uplink };
    void replicator.start();
    void writer.start();
    emptying?.start();
    uplink?.start();
  }

  /** Power off: no timer runs again, no promise is kept, and the disks have what they have. */
  crash(): void {
    this.#process?.clock.kill();
    this.#process = undefined;
    this.deps.mesh.powerOff(this.name);
    this.deps.cloud()?.powerOff(this.name);
    this.journalDisk.crash();
    this.replicaDisk.crash();
  }

  /** What its journal refuses is lost, as on a gateway whose disk is full. */
  record(record: EventRecord): void {
    this.#process?.writer.append({ record }).catch(() => undefined);
  }

  /** It has a roster that expels another: it hangs up on that, for good, and takes nothing behind the attested head. */
  expel(other: MeshMachine, attested: SignedHead): void {
    if (this.wrappers.isDeaf === true) return;
    this.deps.mesh.cut(this.name, other.name);
    this.#attested.set(other.key, [attested]);
    this.#process?.replicator.membersChanged();
  }

  /** The furthest head of an author's newest epoch that is on its platter. */
  newestOf(author: string): SignedHead | undefined {
    return this.replicaDisk.writes
      .flatMap(({ appends }) => appends.map(({ head }) => head))
      .filter((head) => Buffer.from(head.author).toString('hex') === author)
      .sort((a, b) => b.epoch.counter - a.epoch.counter || b.sequence - a.sequence)[0];
  }

  /** What the program that runs knows of the cloud. */
  knowledge(authors: Iterable<string>): CloudKnowledge {
    const { uplink } = this.#process ?? {};
    return {
      machine: this.name,
      heads: [...authors].flatMap((author) => uplink?.copiesOf(author) ?? []),
      refusedCount: uplink?.state.refusedCount ?? 0,
    };
  }

  image(): MachineImage {
    return { journal: [...this.journalDisk.durableItems()], replicas: [...this.replicaDisk.writes] };
  }

  /** Copies an image onto its disks; the machine is off. */
  restore({ journal, replicas }: MachineImage): void {
    this.journalDisk.restore(journal);
    this.replicaDisk.restore(replicas);
  }

  #emptying(parts: Pick<MachineEmptyingDeps, 'clock' | 'network' | 'store' | 'own'>): MachineEmptying | undefined {
    const { crypto, siteId, keptMs } = this.deps;
    const cloud = this.deps.cloud();
    if (cloud === undefined || keptMs === undefined) return undefined;
    return new MachineEmptying({
      ...parts,
      siteId,
      verify: crypto.verify,
      cloudKey: cloud.key,
      keptMs,
      isEager: this.wrappers.isEager === true,
      members: () => this.deps.authors(),
      self: this.key,
      journalDisk: this.journalDisk,
      kept: this.#words,
      keep: (words) => (this.#words = words),
    });
  }

  #uplink(clock: ProcessClock, logs: ReadableLogs, onWord: (signed: Uint8Array) => void): Uplink | undefined {
    const cloud = this.deps.cloud();
    const never = () => {
      throw new Error('the cloud says nothing of an authority, and directs nothing');
    };
    return (
      cloud &&
      new Uplink({
        clock,
        verify: this.deps.crypto.verify,
        signer: this.signer,
        link: cloud.link(this),
        logs,
        siteId: this.deps.siteId,
        cloudKey: cloud.key,
        take: never,
        onWord,
        direct: never,
        tryOut: never,
        onTurn: () => undefined,
        onFailure: () => undefined,
      })
    );
  }
}
