import type { SimulatedBroker, WayCondition } from '../mesh/index.js';
import { HEALTHY_WAY } from '../mesh/index.js';
import { sleep, type SeededRandom, type VirtualClock } from '../world/index.js';
import type { CloudDisk } from './cloud-disk.js';
import type { CloudProcess } from './cloud-process.js';

/** What can happen to a cloud, and on the way to it. */
export const CLOUD_FAULTS = [
  'cloud.lost',
  'cloud.doubled',
  'cloud.overtaken',
  'cloud.slow',
  'cloud.cut',
  'cloud.oneWay',
  'cloud.brokerGone',
  'cloud.databaseAway',
  'cloud.killed',
  'cloud.killed.beforeCommit',
  'cloud.killed.afterCommit',
  'cloud.oneCarrier',
  'cloud.restored',
] as const;
export type CloudFault = (typeof CLOUD_FAULTS)[number];

/** Counted message by message, not by how often the way was bad. */
type WayFault = CloudFault & `cloud.${'lost' | 'doubled' | 'overtaken'}`;
type PhaseFault = CloudFault & `cloud.killed.${string}`;
type RecurringFault = Exclude<CloudFault, 'cloud.oneCarrier' | 'cloud.restored'>;

/** The longest pause between two of a kind. */
const RECURRING: Readonly<Record<RecurringFault, number>> = {
  'cloud.lost': 30_000,
  'cloud.doubled': 20_000,
  'cloud.overtaken': 20_000,
  'cloud.slow': 40_000,
  'cloud.cut': 40_000,
  'cloud.oneWay': 40_000,
  'cloud.brokerGone': 60_000,
  'cloud.databaseAway': 60_000,
  'cloud.killed': 40_000,
  'cloud.killed.beforeCommit': 30_000,
  'cloud.killed.afterCommit': 20_000,
};
const BAD_WAY: Readonly<Record<WayFault | 'cloud.slow', Partial<WayCondition>>> = {
  'cloud.lost': { lostRate: 0.3 },
  'cloud.doubled': { doubledRate: 0.5 },
  'cloud.overtaken': { overtakenRate: 0.4 },
  // A satellite, and its queue.
  'cloud.slow': { latencyMinMs: 600, latencyMaxMs: 4_000 },
};
/** The rest come once, at these parts of the time. */
const ONCE = { copy: 0.25, oneCarrier: 0.3, manyCarriers: 0.5, restored: 0.6 } as const;

const LASTS_MIN_MS = 2_000;
const LASTS_MAX_MS = 20_000;
const OFF_MIN_MS = 200;
const OFF_MAX_MS = 8_000;

export interface FaultyCloud {
  readonly clock: VirtualClock;
  readonly random: SeededRandom;
  readonly broker: SimulatedBroker;
  readonly disk: CloudDisk;
  readonly processes: readonly CloudProcess[];
  /** Names. */
  readonly machines: readonly string[];
  trace(line: string): void;
}

/** Breaks a cloud and the ways to it, and in the end repairs all. */
export class CloudFaults {
  isDatabaseAway = false;
  readonly #fired = new Map<CloudFault, number>();
  readonly #running: Promise<void>[] = [];
  readonly #armed = new Set<CloudProcess>();
  #isHealed = false;
  #end = (): void => undefined;
  readonly #ended = new Promise<void>((resolve) => (this.#end = resolve));

  constructor(private readonly cloud: FaultyCloud) {}

  get fired(): ReadonlyMap<CloudFault, number> {
    const { lost, doubled, overtaken } = this.cloud.broker.carried;
    return new Map([...this.#fired, ['cloud.lost', lost], ['cloud.doubled', doubled], ['cloud.overtaken', overtaken]]);
  }

  start(durationMs: number): void {
    for (const [fault, pauseMaxMs] of Object.entries(RECURRING) as [RecurringFault, number][])
      this.#running.push(this.#recur(fault, pauseMaxMs, this.cloud.random.fork(fault)));
    this.#running.push(this.#onlyOnce(durationMs, this.cloud.random.fork('once')));
  }

  async heal(): Promise<void> {
    this.#isHealed = true;
    this.#end();
    await Promise.all(this.#running);
    for (const process of this.cloud.processes) if (!process.running) process.start();
  }

  async #recur(fault: RecurringFault, pauseMaxMs: number, random: SeededRandom): Promise<void> {
    for (;;) {
      await this.#pause(random.between(0, pauseMaxMs));
      if (this.#isHealed) return;
      await this.#strike(fault, random);
    }
  }

  async #strike(fault: RecurringFault, random: SeededRandom): Promise<void> {
    const { broker, machines, processes } = this.cloud;
    const lastsMs = random.between(LASTS_MIN_MS, LASTS_MAX_MS);
    const machine = random.pick(machines);
    const { up, down } = broker.ways(machine);
    const process = random.pick(processes);
    switch (fault) {
      case 'cloud.lost':
      case 'cloud.doubled':
      case 'cloud.overtaken':
      case 'cloud.slow': {
        const worse = BAD_WAY[fault];
        const healthy = Object.fromEntries(
          Object.keys(worse).map((key) => [key, HEALTHY_WAY[key as keyof WayCondition]]),
        );
        this.#fire(fault, machine);
        for (const way of [up, down]) way.condition = { ...way.condition, ...worse };
        await this.#pause(lastsMs);
        for (const way of [up, down]) way.condition = { ...way.condition, ...healthy };
        return;
      }
      case 'cloud.cut':
        this.#fire(fault, machine);
        return this.#repairAfter(lastsMs, [up.cut(), down.cut()]);
      case 'cloud.oneWay':
        this.#fire(fault, machine);
        return this.#repairAfter(lastsMs, [random.pick([up, down]).cut()]);
      case 'cloud.brokerGone':
        this.#fire(fault, 'broker');
        return this.#repairAfter(random.between(OFF_MIN_MS, OFF_MAX_MS), [broker.stop()]);
      case 'cloud.databaseAway':
        this.#fire(fault, 'database');
        this.isDatabaseAway = true;
        await this.#pause(random.between(OFF_MIN_MS, OFF_MAX_MS));
        this.isDatabaseAway = false;
        return;
      case 'cloud.killed':
        if (!process.running) return;
        this.#fire(fault, process.name);
        return this.#kill(process, random);
      default:
        return this.#killAt(fault, process, random);
    }
  }

  async #onlyOnce(durationMs: number, random: SeededRandom): Promise<void> {
    const { clock, broker, disk, machines, processes } = this.cloud;
    const startMs = clock.monotonicMs();
    const until = (part: number) => this.#pause(startMs + part * durationMs - clock.monotonicMs());
    await until(ONCE.copy);
    await disk.keepCopy();
    await until(ONCE.oneCarrier);
    const [carrier, ...others] = random.shuffle(machines);
    this.#fire('cloud.oneCarrier', carrier ?? '');
    const repairs = others.flatMap((machine) => [broker.ways(machine).up.cut(), broker.ways(machine).down.cut()]);
    await until(ONCE.manyCarriers);
    for (const repair of repairs) repair();
    await until(ONCE.restored);
    this.#fire('cloud.restored', 'database');
    const back = processes.map((process) => this.#kill(process, random));
    await disk.restoreCopy();
    await Promise.all(back);
  }

  async #kill(process: CloudProcess, random: SeededRandom): Promise<void> {
    process.kill();
    await this.#pause(random.between(OFF_MIN_MS, OFF_MAX_MS));
    if (!process.running) process.start();
  }

  /** In one of its next transactions, at that phase of it. */
  async #killAt(fault: PhaseFault, process: CloudProcess, random: SeededRandom): Promise<void> {
    if (this.#armed.has(process)) return;
    this.#armed.add(process);
    let transactionsLeft = random.integer(1, 20);
    const died = new Promise<void>((resolve) => {
      process.onPhase = (phase) => {
        if (fault !== `cloud.killed.${phase}` || --transactionsLeft > 0) return false;
        process.onPhase = () => false;
        this.#fire(fault, process.name);
        void this.#kill(process, random).then(resolve);
        return true;
      };
    });
    await Promise.race([died, this.#ended]);
    process.onPhase = () => false;
    this.#armed.delete(process);
  }

  async #repairAfter(durationMs: number, repairs: readonly (() => void)[]): Promise<void> {
    await this.#pause(durationMs);
    for (const repair of repairs) repair();
  }

  /** Shorter, where all is to heal. */
  #pause(durationMs: number): Promise<void> {
    return Promise.race([sleep(this.cloud.clock, durationMs), this.#ended]);
  }

  #fire(fault: CloudFault, where: string): void {
    this.cloud.trace(`fault ${fault} ${where}`);
    this.#fired.set(fault, (this.#fired.get(fault) ?? 0) + 1);
  }
}
