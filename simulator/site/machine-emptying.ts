import { CloudWords, emptiableTo } from '@sparc/edge/emptying';
import { LogEmptying, WordExchange } from '@sparc/edge/site-mesh';
import type { Clock, LogCommit, MeshNetwork, ReplicaStore, VerifySignature } from '@sparc/protocol/ports';
import { Before } from '@sparc/protocol/replication';
import { emptiedEntry, type SimulatedLog } from '../mesh/index.js';
import type { SimulatedDisk } from '../world/index.js';

/** An hour of a gateway, where entries are kept for minutes. */
const INTERVAL_MS = 10_000;

export interface MachineEmptyingDeps {
  readonly clock: Clock;
  readonly verify: VerifySignature;
  readonly network: MeshNetwork;
  readonly store: ReplicaStore;
  readonly siteId: string;
  readonly cloudKey: Uint8Array;
  readonly keptMs: number;
  /** The seeded defect: it does not wait. */
  readonly isEager: boolean;
  /** Whose replicas are held, in hex. */
  readonly members: () => readonly string[];
  readonly self: string;
  readonly own: SimulatedLog;
  readonly journalDisk: SimulatedDisk<LogCommit>;
  /** What the cloud signed, as an earlier process kept it; and where to keep it. */
  readonly kept: readonly Uint8Array[];
  readonly keep: (words: readonly Uint8Array[]) => void;
}

/** The real parts that empty logs by the cloud's words, on the disks of a simulated machine. */
export class MachineEmptying {
  readonly network: MeshNetwork;
  readonly #words: CloudWords;
  /** Those by which it empties. */
  readonly #judged: Pick<CloudWords, 'old' | 'newest'>;
  readonly #emptying: LogEmptying;

  constructor(private readonly deps: MachineEmptyingDeps) {
    const { clock } = deps;
    const words = new CloudWords({ ...deps, wall: () => clock.wall() });
    for (const signed of deps.kept) words.take(signed);
    const exchange = new WordExchange({ ...deps, words, take: (signed) => this.#keepIf(words.take(signed)) });
    this.#words = words;
    this.#judged = deps.isEager ? newestAlone(words) : words;
    this.network = exchange.network;
    this.#emptying = new LogEmptying({
      ...deps,
      words: this.#judged,
      intervalMs: INTERVAL_MS,
      askWords: () => exchange.ask(),
      onWords: () => this.#emptyOwn(),
      onFailure: () => undefined,
    });
  }

  start(): void {
    this.#emptying.start();
  }

  /** What the cloud says now. */
  heard(signed: Uint8Array): void {
    this.#keepIf(this.#words.hear(signed));
    if (this.#words.newest !== undefined) this.#emptying.heard();
  }

  #keepIf(isOther: boolean): void {
    if (isOther) this.deps.keep(this.#words.kept.map(({ signed }) => signed));
  }

  #emptyOwn(): void {
    const { self, own, journalDisk } = this.deps;
    const hashAt: SimulatedLog['hashAt'] = (epoch, sequence) => own.hashAt(epoch, sequence);
    const to = emptiableTo(this.#judged, { author: self, log: own.log, hashAt });
    if (to === undefined || own.isEmptied(to)) return;
    const before = new Before(own.log, [to]);
    journalDisk.rewrite(({ entries, ...commit }) => ({
      ...commit,
      entries: entries.map((entry) => (entry.sequence <= before.lastOf(entry.epoch) ? emptiedEntry(entry) : entry)),
    }));
    own.empty(to);
  }
}

const newestAlone = (words: CloudWords): Pick<CloudWords, 'old' | 'newest'> => ({
  get old() {
    return words.newest;
  },
  get newest() {
    return words.newest;
  },
});
