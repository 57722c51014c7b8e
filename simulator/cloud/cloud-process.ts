import { Ingest } from '@sparc/cloud-sync/ingest';
import type { Carrier } from '@sparc/protocol/cloud-link';
import type { LedgerCrypto } from '@sparc/protocol/ledger';
import type { Signer } from '@sparc/protocol/ports';
import type { BrokerClient } from '../mesh/index.js';
import { ProcessClock } from '../site/index.js';
import type { SeededRandom, VirtualClock } from '../world/index.js';
import type { CloudDisk } from './cloud-disk.js';
import { processDatabase, type TransactionPhase } from './process-database.js';

export interface CloudProcessDeps {
  readonly clock: VirtualClock;
  readonly random: SeededRandom;
  readonly crypto: LedgerCrypto;
  readonly disk: CloudDisk;
  readonly signer: Signer;
  /** KEPT_MS, but where time runs faster. */
  readonly keptMs?: number;
  /** The end of the broker for this process, and its end of that. */
  readonly join: () => BrokerClient;
  readonly leave: () => void;
  readonly isDatabaseAway: () => boolean;
  readonly isLie: () => boolean;
  onRefused(why: string, carrier: Carrier): void;
  onFork(): void;
  onEmptied(): void;
  onFailure(error: unknown): void;
}

/** A process that takes what gateways say: the real ingest. It can be killed at any instant. */
export class CloudProcess {
  /** Asked at each phase of each transaction; true: it dies there. */
  onPhase: (phase: TransactionPhase) => boolean = () => false;
  #clock: ProcessClock | undefined;

  constructor(
    readonly name: string,
    private readonly deps: CloudProcessDeps,
  ) {}

  get running(): boolean {
    return this.#clock !== undefined;
  }

  start(): void {
    const { random, disk, isDatabaseAway, isLie, signer } = this.deps;
    const clock = new ProcessClock(this.deps.clock, () => this.deps.clock.wall());
    this.#clock = clock;
    const onPhase = (phase: TransactionPhase) => this.onPhase(phase);
    const client = this.deps.join();
    const ingest = new Ingest({
      ...this.deps,
      clock,
      database: processDatabase({ clock, random, disk, onPhase, isAway: isDatabaseAway, isLie }),
      bus: {
        hear: (...of) => client.hear(...of),
        say: async (...of) => {
          if (this.#clock === clock) await client.say(...of);
        },
      },
      signerOf: () => signer,
    });
    void ingest.start();
  }

  kill(): void {
    this.#clock?.kill();
    this.#clock = undefined;
    this.deps.leave();
  }
}
