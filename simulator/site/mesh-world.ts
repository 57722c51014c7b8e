import { nodeCrypto } from '@sparc/edge/ledger';
import { sameBytes, type SignedHead } from '@sparc/protocol/ledger';
import type { LogCommit, Signer } from '@sparc/protocol/ports';
import { Heads } from '@sparc/protocol/replication';
import { SimulatedMesh, type SimulatedNetwork } from '../mesh/index.js';
import {
  checkAcknowledgedIsKept,
  checkAcknowledgedIsStored,
  checkAsCommitted,
  checkBodiesAreKept,
  checkCloudHasAll,
  checkCloudIsKnown,
  checkExpelledIsBounded,
  checkForksAreFound,
  checkInOrder,
  checkNothingTwice,
  checkReplicasAgree,
  emptiedCount,
  MeshHistory,
  platterOf,
  writtenEpochs,
  Violations,
} from '../scenarios/index.js';
import { RunDigest, SeededRandom, sleep, VirtualClock } from '../world/index.js';
import type { CloudSite, MeshCloud } from './mesh-cloud.js';
import { meshWrappers, type MeshDefect } from './mesh-defects.js';
import { withMemory } from './known-signatures.js';
import { MeshFaults } from './mesh-faults.js';
import { MeshMachine, type MachineImage, type MeshWrappers } from './mesh-machine.js';
import { seededSigner } from './seeded-signer.js';
import type { WorldReport } from './world-report.js';

export interface MeshWorldOptions {
  readonly seed: number;
  /** Simulated time with faults; then the site heals and has to agree. Default 0.05. */
  readonly hours?: number;
  /** At least 4. Default 16. */
  readonly gatewaysCount?: number;
  /** That all of them have a link to; its database holds another replica. Default: none. */
  readonly cloud?: (site: CloudSite) => Promise<MeshCloud>;
  /** Where there is a cloud: gateways empty what it has had for so long. Default: never. */
  readonly keptMs?: number;
  readonly defect?: MeshDefect | 'emptiesEarly';
}

const HOUR_MS = 3_600_000;
const HOURS = 0.05;
const GATEWAYS_COUNT = 16;
const SITE = 'harbour';
const RECORD_PAUSE_MAX_MS = 12_000;
const RECORDS_AT_ONCE_MAX = 3;
/** Everybody leaves at five. */
const RUSH_RATE = 0.03;
const RUSH_RECORDS = 60;
/** Heads are said again every 30 s, and whoever was refused is called again after as long. */
const AGREE_WITHIN_MS = 90_000;
const AGREE_STEP_MS = 5_000;
const CLOUD = 'the cloud';

/** Real journals and replicators on sixteen machines, and everything between and below them failing. */
export class MeshWorld {
  readonly #clock = new VirtualClock();
  readonly #digest = new RunDigest();
  readonly #violations = new Violations(() => this.#clock.monotonicMs());
  readonly #history = new MeshHistory();
  readonly #random: SeededRandom;
  readonly #crypto = withMemory(nodeCrypto);
  readonly #mesh: SimulatedMesh;
  readonly #machines: readonly MeshMachine[];
  readonly #authors: ReadonlySet<string>;
  readonly #faults: MeshFaults;
  readonly #lastHeard = new Map<string, Uint8Array>();
  #cloud: MeshCloud | undefined;
  #recorded = 0;
  #closed = false;

  constructor(private readonly options: MeshWorldOptions) {
    const { seed, defect, gatewaysCount = GATEWAYS_COUNT } = options;
    this.#random = new SeededRandom(`mesh/${seed}`);
    this.#mesh = new SimulatedMesh(this.#clock, this.#random.fork('mesh'));
    this.#mesh.onMessage = (from, to, message) => this.#onMessage(from, to, message);
    const signers = Array.from({ length: gatewaysCount }, (_, index) =>
      seededSigner(this.#random.fork(`identity/${index}`)),
    );
    const keys = signers.map(({ publicKey }) => Buffer.from(publicKey).toString('hex'));
    this.#authors = new Set(keys);
    this.#machines = signers.map((signer, index) => {
      const next = keys[(index + 1) % keys.length] ?? '';
      return this.#machine(`gateway-${index + 1}`, signer, meshWrappers(defect, next));
    });
    this.#faults = new MeshFaults({
      clock: this.#clock,
      random: this.#random.fork('faults'),
      mesh: this.#mesh,
      machines: this.#machines,
      heard: (machine, expelled, attested) => this.#onHeard(machine, expelled, attested),
      clone: (of, image) => this.#cloneOf(of, image),
      trace: (line) => this.#trace(line),
    });
  }

  async run(): Promise<WorldReport> {
    const clock = this.#clock;
    const durationMs = (this.options.hours ?? HOURS) * HOUR_MS;
    this.#cloud = await this.options.cloud?.(this.#site());
    for (const machine of this.#machines) machine.start();
    for (const machine of this.#machines) void this.#passages(machine);
    this.#faults.start(durationMs);
    this.#cloud?.startFaults(durationMs);
    await this.#run(durationMs);
    await this.#faults.heal();
    await this.#cloud?.heal();
    this.#closed = true;
    // Whoever stole a gateway goes on when all others rest.
    const stolen = this.#machines.find(({ key }) => key === this.#history.expulsion?.author);
    stolen?.record({ name: 'door.opened', doorId: 'door-1' });
    const healedAtMs = clock.monotonicMs();
    while (clock.monotonicMs() < healedAtMs + AGREE_WITHIN_MS) {
      await this.#run(clock.monotonicMs() + AGREE_STEP_MS);
      if (await this.#isAgreed()) break;
    }
    const agreedWithinMs = clock.monotonicMs() - healedAtMs;
    await this.#look();
    const report = this.#report(agreedWithinMs);
    await this.#cloud?.close();
    return report;
  }

  #run(untilMs: number): Promise<void> {
    return this.#cloud === undefined ? this.#clock.run(untilMs) : this.#cloud.run(untilMs);
  }

  #report(agreedWithinMs: number): WorldReport {
    const history = this.#history;
    const violations = this.#violations;
    checkAcknowledgedIsKept(history, violations);
    checkNothingTwice(history, violations);
    checkInOrder(history, violations);
    checkAsCommitted(history, this.#crypto, violations);
    checkReplicasAgree(history, this.#crypto, violations);
    checkBodiesAreKept(history, violations);
    checkForksAreFound(history, violations);
    checkExpelledIsBounded(history, violations);
    this.#checkCloud(violations);
    if (this.#cloud !== undefined) checkAcknowledgedIsStored(this.#cloud.history, violations);
    for (const { machine, replicas } of history.platters) {
      for (const [name, { entries }] of replicas) this.#trace(`holds ${machine} ${name} ${entries.length}`);
    }
    const { sessions, refusals, messages, lostMessages, messageBytes, requests, pieceBytes } = this.#mesh.carried;
    return {
      digest: this.#digest.toString(),
      violations: violations.found,
      faultsFired: this.#faultsFired(),
      counts: {
        simulatedMs: this.#clock.monotonicMs(),
        agreedWithinMs,
        gateways: this.#machines.length,
        records: this.#recorded,
        epochs: history.committed.size,
        entries: [...history.committed.values()].reduce((count, { hashes }) => count + hashes.length, 0),
        emptied: emptiedCount(history),
        forks: history.platters.reduce((count, { forks }) => count + forks.length, 0),
        sessions,
        refusals,
        messages,
        lostMessages,
        messageBytes,
        requests,
        pieceBytes,
        ...this.#cloud?.counts,
      },
    };
  }

  #checkCloud(violations: Violations): void {
    if (this.#cloud === undefined) return;
    checkCloudHasAll(this.#history, violations);
    checkCloudIsKnown(this.#history, this.#cloud.history, violations);
  }

  #faultsFired(): ReadonlyMap<string, number> {
    const fired = new Map<string, number>([...this.#faults.fired, ...(this.#cloud?.fired ?? [])]);
    for (const { journalDisk } of this.#machines) {
      for (const [fault, count] of journalDisk.fired) fired.set(fault, (fired.get(fault) ?? 0) + count);
    }
    return fired;
  }

  async #isAgreed(): Promise<boolean> {
    const found = new Violations(() => 0);
    await this.#look();
    checkReplicasAgree(this.#history, this.#crypto, found);
    checkExpelledIsBounded(this.#history, found);
    this.#checkCloud(found);
    return found.found.length === 0;
  }

  /** What is on all platters now, the cloud's last, and what is known of that. */
  async #look(): Promise<void> {
    const members = this.#machines.filter(({ running, key }) => running && key !== this.#history.expulsion?.author);
    this.#history.platters = members.map((machine) => {
      const { journal, replicas } = machine.image();
      const commits = journal.map(({ item }) => item);
      return platterOf(machine, { journal: commits, replicas }, this.#faults.hasTwoPasts(machine));
    });
    if (this.#cloud === undefined) return;
    const { expulsion } = this.#history;
    // It may be brought whatever a gateway had that has heard of it later.
    expulsion?.evidence.set(CLOUD, mostOf(expulsion.evidence.values()));
    this.#history.platters = [...this.#history.platters, await this.#cloud.platter()];
    this.#cloud.history.known = members.map((machine) => machine.knowledge(this.#authors));
  }

  #site(): CloudSite {
    return {
      clock: this.#clock,
      random: this.#random.fork('cloud'),
      crypto: this.#crypto,
      siteId: SITE,
      machines: this.#machines,
      trace: (line) => this.#trace(line),
      ...(this.options.keptMs !== undefined && { keptMs: this.options.keptMs }),
    };
  }

  #machine(name: string, signer: Signer, wrappers: MeshWrappers): MeshMachine {
    const deps = {
      clock: this.#clock,
      random: this.#random.fork(`machine/${name}`),
      crypto: this.#crypto,
      mesh: this.#mesh,
      siteId: SITE,
      isAuthor: (author: string) => this.#authors.has(author),
      authors: () => [...this.#authors],
      keptMs: this.options.keptMs,
      cloud: () => this.#cloud,
      onCommitted: (commit: LogCommit) => this.#onCommitted(name, commit),
    };
    const machine = new MeshMachine(name, signer, deps, wrappers);
    machine.replicaDisk.lies = this.options.defect === 'lyingDisks';
    return machine;
  }

  #cloneOf({ name, signer }: MeshMachine, image: MachineImage): MeshMachine {
    const clone = this.#machine(`clone of ${name}`, signer, {});
    clone.restore(image);
    void this.#passages(clone);
    return clone;
  }

  /** People at the doors of one gateway. */
  async #passages(machine: MeshMachine): Promise<void> {
    const random = this.#random.fork(`passages/${machine.name}`);
    while (!this.#closed) {
      await sleep(this.#clock, random.between(0, RECORD_PAUSE_MAX_MS));
      if (!machine.running) continue;
      const count = random.chance(RUSH_RATE) ? RUSH_RECORDS : random.integer(1, RECORDS_AT_ONCE_MAX);
      for (let each = 0; each < count; each++)
        machine.record({ name: 'door.opened', doorId: `door-${random.integer(1, 4)}` });
      this.#recorded += count;
    }
  }

  #onCommitted(machine: string, commit: LogCommit): void {
    this.#history.addCommit(commit);
    this.#trace(`commit ${machine} ${commit.head.epoch.counter}/${commit.head.sequence}`);
  }

  #onHeard(machine: MeshMachine, expelled: MeshMachine, attested: SignedHead): void {
    const history = this.#history;
    if (history.expulsion === undefined)
      void this.#cloud?.expel(expelled).then((had) => history.expulsion?.evidence.set(CLOUD, had));
    history.expulsion ??= { author: expelled.key, attested, evidence: new Map() };
    const written = writtenEpochs(machine.replicaDisk.writes.flatMap(({ appends }) => appends));
    const counts = [...written].map(([name, { entries }]): [string, number] => [name, entries.length]);
    history.expulsion.evidence.set(machine.name, new Map(counts));
    this.#trace(`heard ${machine.name} ${attested.epoch.counter}/${attested.sequence}`);
  }

  /** What a gateway says to have, as it is on the wire. */
  #onMessage(from: SimulatedNetwork, to: SimulatedNetwork, message: Uint8Array): void {
    this.#trace(`${from.machine} to ${to.machine}: ${message.length}`);
    const last = this.#lastHeard.get(from.machine);
    if (last !== undefined && sameBytes(last, message)) return;
    this.#lastHeard.set(from.machine, message);
    for (const tip of Heads.decode(message).tips) this.#history.addTip(from.machine, from.key, tip);
  }

  #trace(line: string): void {
    this.#digest.add(`${this.#clock.monotonicMs().toFixed(3)} ${line}`);
  }
}

/** The highest of the counts of each epoch. */
function mostOf(all: Iterable<ReadonlyMap<string, number>>): ReadonlyMap<string, number> {
  const most = new Map<string, number>();
  for (const counts of all) for (const [name, count] of counts) most.set(name, Math.max(count, most.get(name) ?? 0));
  return most;
}
