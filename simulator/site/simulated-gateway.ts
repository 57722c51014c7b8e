import { Field, type FieldPolicy } from '@sparc/edge/field';
import { JournalWriter, nodeCrypto } from '@sparc/edge/ledger';
import type { Clock, FieldBus, Journal, LogCommit, Signer, TimeQuality, WallTime } from '@sparc/protocol/ports';
import type { SeededRandom, SimulatedDisk } from '../world/index.js';
import { ProcessClock } from './process-clock.js';
import { seededSigner } from './seeded-signer.js';
import { SimulatedLogStore, type CommitPhase } from './simulated-log-store.js';

export interface SimulatedGatewayDeps {
  readonly clock: Clock;
  readonly random: SeededRandom;
  readonly disk: SimulatedDisk<LogCommit>;
  readonly fieldBus: FieldBus & { detach(): void };
  readonly siteId: string;
}

/** For seeded defects: what stands between the real parts. */
export interface GatewayWrappers {
  readonly journal?: (journal: Journal) => Journal;
  readonly fieldBus?: (fieldBus: FieldBus, clock: Clock) => FieldBus;
}

/** A machine with the real domain of a gateway on it: it can lose its power at any instant, and its clock can be set. */
export class SimulatedGateway {
  /** Asked at each phase of each commit; true: the machine dies there. */
  onCommitPhase: (phase: CommitPhase) => boolean = () => false;
  readonly signer: Signer;
  #process: { readonly clock: ProcessClock; readonly field: Field } | undefined;
  #policy: FieldPolicy = { kind: 'none' };
  #wallOffsetMs = 0;
  #quality: TimeQuality = 'synced';

  constructor(
    private readonly deps: SimulatedGatewayDeps,
    private readonly wrappers: GatewayWrappers = {},
  ) {
    this.signer = seededSigner(deps.random.fork('identity'));
  }

  get running(): boolean {
    return this.#process !== undefined;
  }

  wall(): WallTime {
    return { unixMs: this.deps.clock.wall().unixMs + this.#wallOffsetMs, quality: this.#quality };
  }

  /** Somebody sets the clock, or a time source corrects it. */
  setWall(offsetMs: number, quality: TimeQuality): void {
    this.#wallOffsetMs = offsetMs;
    this.#quality = quality;
  }

  usePolicy(policy: FieldPolicy): void {
    this.#policy = policy;
    this.#process?.field.usePolicy(policy);
  }

  /** Power on. As in a real gateway the field waits for no disk: what it records waits for the journal. */
  start(): void {
    const { random, disk, fieldBus, siteId } = this.deps;
    const clock = new ProcessClock(this.deps.clock, () => this.wall());
    const store = new SimulatedLogStore(disk, (phase) => this.onCommitPhase(phase));
    const writer = new JournalWriter({ store, signer: this.signer, clock, random, crypto: nodeCrypto }, { siteId });
    const starting = writer.start();
    const journal: Journal = {
      append: async (draft) => {
        await starting;
        return writer.append(draft);
      },
      observe: (hlc) => writer.observe(hlc),
      openEpochAbove: (counter) => writer.openEpochAbove(counter),
    };
    const field = new Field({
      clock,
      fieldBus: this.wrappers.fieldBus?.(fieldBus, clock) ?? fieldBus,
      journal: this.wrappers.journal?.(journal) ?? journal,
      log: SILENT,
      random,
    });
    this.#process = { clock, field };
    field.start();
    field.usePolicy(this.#policy);
    void starting.then((report) => field.closeGrants(report));
  }

  /** Power off: no timer runs again, no promise is kept, and the disk has what it has. */
  crash(): void {
    this.#process?.clock.kill();
    this.#process = undefined;
    this.deps.fieldBus.detach();
    this.deps.disk.crash();
  }
}

const SILENT = { info: () => undefined, warn: () => undefined, error: () => undefined };
