import type { SignedHead } from '@sparc/protocol/ledger';
import { HEALTHY_PATH, type SimulatedMesh } from '../mesh/index.js';
import { HEALTHY_DISK, sleep, type SeededRandom, type VirtualClock } from '../world/index.js';
import type { MachineImage, MeshMachine } from './mesh-machine.js';

/** What can happen to the machines of a site, to their disks and to the network between them. */
export const MESH_FAULTS = [
  'powerCut',
  'powerCut.beforeWrite',
  'powerCut.beforeFlush',
  'powerCut.afterFlush',
  'powerCut.beforeStore',
  'powerCut.afterStore',
  'siteOutage',
  'goneForGood',
  'restoredDisks',
  'clonedKey',
  'expulsion',
  'partition',
  'oneWay',
  'flapping',
  'slowLink',
  'reset',
  'lostMessages',
  'refusingDisk',
] as const;
export type MeshFault = (typeof MESH_FAULTS)[number];

type PhaseFault = MeshFault & `powerCut.${string}`;
type RecurringFault = Exclude<MeshFault, 'siteOutage' | 'goneForGood' | 'restoredDisks' | 'clonedKey' | 'expulsion'>;

/** The longest pause between two of a kind. */
const RECURRING: Readonly<Record<RecurringFault, number>> = {
  powerCut: 60_000,
  'powerCut.beforeWrite': 30_000,
  'powerCut.beforeFlush': 30_000,
  'powerCut.afterFlush': 30_000,
  'powerCut.beforeStore': 30_000,
  'powerCut.afterStore': 30_000,
  partition: 60_000,
  oneWay: 60_000,
  flapping: 60_000,
  slowLink: 60_000,
  reset: 30_000,
  lostMessages: 60_000,
  refusingDisk: 60_000,
};
/** The rest come once, at these parts of the time. */
const ONCE = { backup: 0.2, clonedKey: 0.35, siteOutage: 0.5, restoredDisks: 0.65, expulsion: 0.8 } as const;

const OFF_MIN_MS = 500;
const OFF_MAX_MS = 20_000;
const LASTS_MIN_MS = 2_000;
const LASTS_MAX_MS = 25_000;
const FLAP_MIN_MS = 100;
const FLAP_MAX_MS = 6_000;
/** Until all who can hear of an expulsion have. */
const HEARD_WITHIN_MS = 8_000;
/** A radio bridge in the rain. */
const SLOW_PATH = { latencyMinMs: 50, latencyMaxMs: 400, bytesPerMs: 20 };
const LOST_MESSAGES_RATE = 0.3;
/** A disk that is about to fail. */
const POOR_DISK = { ...HEALTHY_DISK, slowRate: 0.05, failRate: 0.06 };

export interface FaultyMesh {
  readonly clock: VirtualClock;
  readonly random: SeededRandom;
  readonly mesh: SimulatedMesh;
  readonly machines: readonly MeshMachine[];
  /** One machine has heard that another was expelled, at its attested head. */
  heard(machine: MeshMachine, expelled: MeshMachine, attested: SignedHead): void;
  /** With the key of the machine that the image is of. */
  clone(of: MeshMachine, image: MachineImage): MeshMachine;
  trace(line: string): void;
}

/** Breaks machines, disks and links, and in the end repairs all but one machine that is gone. */
export class MeshFaults {
  readonly fired = new Map<MeshFault, number>();
  readonly #random: SeededRandom;
  /** Gone, cloned and set back: one each, so that of an entry with its author and two others one copy is left. */
  readonly #lost: MeshMachine;
  readonly #cloned: MeshMachine;
  readonly #setBack: MeshMachine;
  readonly #expelled: MeshMachine;
  #clone: MeshMachine | undefined;
  #isLostGone = false;
  /** Machines that die at a phase of a transaction. */
  readonly #armed = new Set<MeshMachine>();
  readonly #running: Promise<void>[] = [];
  #healed = false;
  #end = (): void => undefined;
  readonly #ended = new Promise<void>((resolve) => (this.#end = resolve));

  constructor(private readonly site: FaultyMesh) {
    this.#random = site.random;
    const [lost, cloned, setBack, expelled] = this.#random.shuffle(site.machines);
    if (lost === undefined || cloned === undefined || setBack === undefined || expelled === undefined)
      throw new Error('a mesh has four machines');
    this.#lost = lost;
    this.#cloned = cloned;
    this.#setBack = setBack;
    this.#expelled = expelled;
  }

  /** Its journal was set back, or another machine writes with its key. */
  hasTwoPasts(machine: MeshMachine): boolean {
    return machine === this.#cloned || machine === this.#setBack;
  }

  start(durationMs: number): void {
    for (const machine of this.site.machines) machine.journalDisk.behaviour = POOR_DISK;
    for (const [fault, pauseMaxMs] of Object.entries(RECURRING) as [RecurringFault, number][]) {
      this.#running.push(this.#recur(fault, pauseMaxMs, this.#random.fork(fault)));
    }
    this.#running.push(this.#onlyOnce(durationMs, this.#random.fork('once')));
  }

  async heal(): Promise<void> {
    this.#healed = true;
    this.#end();
    await Promise.all(this.#running);
    this.#clone?.crash();
    for (const machine of this.site.machines) {
      machine.journalDisk.behaviour = HEALTHY_DISK;
      this.#powerOn(machine);
    }
  }

  async #recur(fault: RecurringFault, pauseMaxMs: number, random: SeededRandom): Promise<void> {
    for (;;) {
      await this.#pause(random.between(0, pauseMaxMs));
      if (this.#healed) return;
      const machine = random.pick(this.site.machines);
      if (machine.running) await this.#strike(fault, machine, random);
    }
  }

  async #strike(fault: RecurringFault, machine: MeshMachine, random: SeededRandom): Promise<void> {
    const { mesh, machines } = this.site;
    const lastsMs = random.between(LASTS_MIN_MS, LASTS_MAX_MS);
    const others = machines.filter((other) => other !== machine).map(({ name }) => name);
    const { name } = machine;
    const isPhase = fault.startsWith('powerCut.');
    if (!isPhase) this.#fire(fault, name);
    switch (fault) {
      case 'powerCut':
        return this.#powerCut(machine, random);
      case 'partition': {
        const group = random
          .shuffle(machines.map((each) => each.name))
          .slice(0, random.integer(1, machines.length / 2));
        const rest = machines.map((each) => each.name).filter((each) => !group.includes(each));
        return this.#repairAfter(
          lastsMs,
          group.flatMap((a) => rest.map((b) => mesh.cut(a, b))),
        );
      }
      case 'oneWay': {
        const isDeaf = random.chance(0.5);
        const paths = others.map((other) => (isDeaf ? mesh.path(other, name) : mesh.path(name, other)));
        return this.#repairAfter(
          lastsMs,
          paths.map((path) => path.cut()),
        );
      }
      case 'flapping':
        for (let flaps = random.integer(2, 6); flaps > 0 && !this.#healed; flaps--) {
          await this.#repairAfter(
            random.between(FLAP_MIN_MS, FLAP_MAX_MS),
            others.map((other) => mesh.cut(name, other)),
          );
          await this.#pause(random.between(FLAP_MIN_MS, FLAP_MAX_MS));
        }
        return;
      case 'slowLink':
        for (const other of others) mesh.setLink(name, other, SLOW_PATH);
        await this.#pause(lastsMs);
        for (const other of others) mesh.setLink(name, other, HEALTHY_PATH);
        return;
      case 'lostMessages':
        for (const other of others) mesh.setLink(name, other, { lostMessagesRate: LOST_MESSAGES_RATE });
        await this.#pause(lastsMs);
        for (const other of others) mesh.setLink(name, other, { lostMessagesRate: 0 });
        return;
      case 'reset':
        return mesh.reset(name, random.pick(others));
      case 'refusingDisk':
        machine.replicaDisk.refuses = true;
        await this.#pause(lastsMs);
        machine.replicaDisk.refuses = false;
        return;
      default:
        return this.#powerCutAt(fault, machine, random);
    }
  }

  async #onlyOnce(durationMs: number, random: SeededRandom): Promise<void> {
    const startMs = this.site.clock.monotonicMs();
    const until = (part: number) => this.#pause(startMs + part * durationMs - this.site.clock.monotonicMs());
    await until(ONCE.backup);
    const backup = this.#setBack.image();
    await until(ONCE.clonedKey);
    this.#fire('clonedKey', this.#cloned.name);
    this.#clone = this.site.clone(this.#cloned, this.#cloned.image());
    this.#clone.start();
    await until(ONCE.siteOutage);
    this.#fire('siteOutage', 'all');
    this.#fire('goneForGood', this.#lost.name);
    this.#isLostGone = true;
    await Promise.all([...this.site.machines, this.#clone].map((machine) => this.#powerCut(machine, random)));
    await until(ONCE.restoredDisks);
    this.#fire('restoredDisks', this.#setBack.name);
    await this.#powerCut(this.#setBack, random, () => this.#setBack.restore(backup));
    await until(ONCE.expulsion);
    await this.#expel(random);
  }

  /** With the head that one of the others holds; each hears of it at its own time, the last ones when all heals. */
  async #expel(random: SeededRandom): Promise<void> {
    const expelled = this.#expelled;
    const others = [...this.site.machines, ...(this.#clone === undefined ? [] : [this.#clone])].filter(
      (machine) => machine !== expelled,
    );
    const attested = random
      .shuffle(others)
      .map((witness) => witness.newestOf(expelled.key))
      .find((head) => head !== undefined);
    if (attested === undefined) return;
    this.#fire('expulsion', expelled.name);
    const hearing = others.map(async (machine) => {
      await this.#pause(random.between(0, HEARD_WITHIN_MS));
      machine.expel(expelled, attested);
      this.site.heard(machine, expelled, attested);
    });
    await Promise.all(hearing);
  }

  async #powerCut(machine: MeshMachine, random: SeededRandom, whileOff = () => undefined as void): Promise<void> {
    machine.crash();
    whileOff();
    await this.#pause(random.between(OFF_MIN_MS, OFF_MAX_MS));
    this.#powerOn(machine);
  }

  #powerOn(machine: MeshMachine): void {
    if (!machine.running && !(this.#isLostGone && machine === this.#lost)) machine.start();
  }

  /** At one of its next transactions, at that phase of it. */
  async #powerCutAt(fault: PhaseFault, machine: MeshMachine, random: SeededRandom): Promise<void> {
    if (this.#armed.has(machine)) return;
    this.#armed.add(machine);
    let transactionsLeft = random.integer(1, 20);
    const died = new Promise<void>((resolve) => {
      machine.onPhase = (phase) => {
        if (fault !== `powerCut.${phase}` || --transactionsLeft > 0) return false;
        machine.onPhase = () => false;
        this.#fire(fault, machine.name);
        void this.#powerCut(machine, random).then(resolve);
        return true;
      };
    });
    await Promise.race([died, this.#ended]);
    machine.onPhase = () => false;
    this.#armed.delete(machine);
  }

  async #repairAfter(durationMs: number, repairs: readonly (() => void)[]): Promise<void> {
    await this.#pause(durationMs);
    for (const repair of repairs) repair();
  }

  /** Shorter, where all is to heal. */
  #pause(durationMs: number): Promise<void> {
    return Promise.race([sleep(this.site.clock, durationMs), this.#ended]);
  }

  #fire(fault: MeshFault, where: string): void {
    this.site.trace(`fault ${fault} ${where}`);
    this.fired.set(fault, (this.fired.get(fault) ?? 0) + 1);
  }
}
