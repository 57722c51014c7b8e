import { sameBytes } from '@sparc/protocol/ledger';
import { HEALTHY_PATH, type SimulatedMesh } from '../mesh/index.js';
import { HEALTHY_DISK, sleep, type SeededRandom, type VirtualClock } from '../world/index.js';
import { HEALTHY_BUS } from './card-level-bus.js';
import { COMMIT_PHASES } from './simulated-log-store.js';
import { CLONE_FAULT } from './town-clone.js';
import { FIRE_FAULT } from './town-fire.js';
import type { TownGateway } from './town-gateway.js';
import type { Quarter } from './town-quarters.js';

const POWER_FAULTS = [
  'powerCut',
  ...COMMIT_PHASES.map((phase) => `powerCut.${phase}` as const),
  'restoredDisk',
] as const;
const MESH_FAULTS = ['partition', 'oneWay', 'slowLink', 'lostMessages', 'reset'] as const;
const PART_FAULTS = ['slowDisk', 'failingDisk', 'deviceReboot', 'lossyBus', 'clockStep', 'noTimeServer'] as const;
const FAULTS = [...POWER_FAULTS, ...MESH_FAULTS, ...PART_FAULTS] as const;
type Fault = (typeof FAULTS)[number];
/** What breaks in the town while it lives, or burns, or is there twice. */
export const TOWN_FAULTS = [...FAULTS, FIRE_FAULT, CLONE_FAULT] as const;

const PAUSE_MIN_MS = 3 * 60_000;
const PAUSE_MAX_MS = 15 * 60_000;
const LASTS_MIN_MS = 5_000;
const LASTS_MAX_MS = 5 * 60_000;
/** Records that were late are on disk by then, and commands that were lost have been repeated. */
const AFTERMATH_MS = 30_000;
/** Until all that was said meanwhile is everywhere, and clocks are known again. */
export const MESH_AFTERMATH_MS = 90_000;
const CLOCK_AFTERMATH_MS = 20 * 60_000;
/** A radio bridge in the rain. */
const SLOW_PATH = { latencyMinMs: 50, latencyMaxMs: 400, bytesPerMs: 20 };
const LOST_MESSAGES_RATE = 0.3;
const MINUTE_MS = 60_000;
/** One of them may die, too. */
const HOLDERS_MIN = 2;

export interface FaultyTown {
  readonly clock: VirtualClock;
  readonly random: SeededRandom;
  readonly mesh: SimulatedMesh;
  readonly quarters: readonly Quarter[];
  isStolen(quarter: Quarter): boolean;
  trace(line: string): void;
  unsettle(): void;
}

/** Breaks gateways, disks, buses, clocks and links, and repairs each. */
export class TownFaults {
  readonly fired = new Map<Fault, number>();
  #healed = false;
  #running = 0;

  constructor(private readonly town: FaultyTown) {}

  start(): void {
    void this.#run(POWER_FAULTS);
    void this.#run(MESH_FAULTS);
    void this.#run(PART_FAULTS);
  }

  /** Nothing is broken any more, and nothing will be. */
  get ended(): boolean {
    return this.#running === 0;
  }

  /** Whatever is broken ends by itself; nothing new breaks. */
  heal(): void {
    this.#healed = true;
  }

  async #run(faults: readonly Fault[]): Promise<void> {
    const random = this.town.random.fork(faults.join());
    this.#running += 1;
    for (;;) {
      await sleep(this.town.clock, random.between(PAUSE_MIN_MS, PAUSE_MAX_MS));
      if (this.#healed) break;
      const quarter = random.pick(this.town.quarters);
      if (quarter.gateway.field !== undefined) await this.#one(random.pick(faults), quarter, random);
    }
    this.#running -= 1;
  }

  async #one(fault: Fault, quarter: Quarter, random: SeededRandom): Promise<void> {
    const { clock } = this.town;
    const { gateway, bus, history } = quarter;
    const lastsMs = random.between(LASTS_MIN_MS, LASTS_MAX_MS);
    if (!fault.startsWith('powerCut.') && fault !== 'restoredDisk') this.#fire(fault, gateway.name);
    switch (fault) {
      case 'powerCut':
        return this.#powerCut(quarter, random);
      case 'powerCut.beforeWrite':
      case 'powerCut.beforeFlush':
      case 'powerCut.afterFlush':
        return this.#powerCutAt(fault, quarter, random);
      case 'restoredDisk':
        return this.#restoredDisk(quarter, random);
      case 'partition':
      case 'oneWay':
      case 'slowLink':
      case 'lostMessages':
      case 'reset':
        return this.#mesh(fault, quarter, lastsMs, random);
      case 'slowDisk':
      case 'failingDisk': {
        const end = history.outage('disk');
        const disk = gateway.journalDisk;
        const isSlow = fault === 'slowDisk';
        const before = disk.behaviour;
        disk.behaviour = {
          ...before,
          slowRate: isSlow ? 1 : 0,
          slowMs: random.between(200, 4_000),
          failRate: isSlow ? 0 : random.between(0.5, 1),
        };
        await sleep(clock, lastsMs);
        disk.behaviour = { ...HEALTHY_DISK, lies: before.lies };
        clock.setTimer(AFTERMATH_MS, end);
        return;
      }
      case 'deviceReboot':
        return random.pick([...bus.devices.values()]).powerCycle(random.between(500, 20_000));
      case 'lossyBus': {
        const end = history.outage('commands');
        bus.behaviour = { unansweredRate: 0.2, refusedRate: 0.2, staleReadRate: 0.3 };
        await sleep(clock, lastsMs);
        bus.behaviour = HEALTHY_BUS;
        clock.setTimer(AFTERMATH_MS, end);
        return;
      }
      case 'clockStep': {
        const end = history.outage('clock');
        const byMs = random.integer(-180, 180) * MINUTE_MS;
        gateway.machineClock.step(byMs);
        this.town.unsettle();
        await sleep(clock, lastsMs);
        gateway.machineClock.step(-byMs);
        clock.setTimer(CLOCK_AFTERMATH_MS, end);
        return;
      }
      case 'noTimeServer':
        gateway.machineClock.hasTimeServer = false;
        await sleep(clock, 3 * lastsMs);
        gateway.machineClock.hasTimeServer = true;
        return;
    }
  }

  async #mesh(
    fault: (typeof MESH_FAULTS)[number],
    { gateway }: Quarter,
    lastsMs: number,
    random: SeededRandom,
  ): Promise<void> {
    const { clock, mesh, quarters } = this.town;
    const { name } = gateway;
    const others = quarters
      .map((each) => each.gateway.name)
      .filter((other) => other !== name && mesh.isWired(name, other));
    const ends = quarters.map(({ history }) => history.outage('mesh'));
    const links = (change: Parameters<SimulatedMesh['setLink']>[2]) =>
      others.forEach((other) => mesh.setLink(name, other, change));
    switch (fault) {
      case 'partition': {
        const names = quarters.map((each) => each.gateway.name);
        const group = random.shuffle(names).slice(0, random.integer(1, names.length / 2));
        const rest = names.filter((each) => !group.includes(each));
        const repairs = group.flatMap((a) => rest.map((b) => mesh.cut(a, b)));
        await sleep(clock, lastsMs);
        for (const repair of repairs) repair();
        break;
      }
      case 'oneWay': {
        const isDeaf = random.chance(0.5);
        const repairs = others.map((other) => (isDeaf ? mesh.path(other, name) : mesh.path(name, other)).cut());
        await sleep(clock, lastsMs);
        for (const repair of repairs) repair();
        break;
      }
      case 'slowLink':
        links(SLOW_PATH);
        await sleep(clock, lastsMs);
        links(HEALTHY_PATH);
        break;
      case 'lostMessages':
        links({ lostMessagesRate: LOST_MESSAGES_RATE });
        await sleep(clock, lastsMs);
        links({ lostMessagesRate: 0 });
        break;
      case 'reset':
        mesh.reset(name, random.pick(others));
    }
    clock.setTimer(MESH_AFTERMATH_MS, () => ends.forEach((end) => end()));
  }

  /** It starts once more between the backup and the loss, so that two branches begin where the backup ends. */
  async #restoredDisk(quarter: Quarter, random: SeededRandom): Promise<void> {
    const { clock } = this.town;
    const { gateway, history } = quarter;
    const restore = gateway.backup();
    await this.#powerCut(quarter, random);
    await sleep(clock, random.between(LASTS_MIN_MS, LASTS_MAX_MS));
    // What nobody else has is lost, and no fault of the site.
    if (this.town.isStolen(quarter) || !this.#isHeldElsewhere(gateway)) return;
    this.#fire('restoredDisk', gateway.name);
    const remembers = history.outage('memory');
    await this.#powerCut(quarter, random, restore);
    do await sleep(clock, MESH_AFTERMATH_MS);
    while (!history.wereWhole(['gateway', 'mesh'], clock.monotonicMs() - MESH_AFTERMATH_MS / 2, clock.monotonicMs()));
    remembers();
  }

  /** All that it wrote is on two other machines. */
  #isHeldElsewhere(gateway: TownGateway): boolean {
    const last = gateway.journalDisk.items().at(-1)?.head;
    const holders = this.town.quarters.filter((quarter) => {
      const held = this.town.isStolen(quarter) ? undefined : quarter.gateway.newestOf(gateway.key);
      return quarter.gateway !== gateway && held !== undefined && last !== undefined && sameBytes(held.hash, last.hash);
    });
    return holders.length >= HOLDERS_MIN;
  }

  async #powerCut({ gateway, history }: Quarter, random: SeededRandom, whileOff: () => void = ignore): Promise<void> {
    const { clock, quarters } = this.town;
    const ends = [
      history.outage('gateway'),
      history.outage('clock'),
      ...quarters.map((each) => each.history.outage('mesh')),
    ];
    const [started, clockKnown, ...meshes] = ends;
    gateway.crash();
    whileOff();
    await sleep(clock, random.between(1_000, 120_000));
    gateway.start();
    started?.();
    if (clockKnown !== undefined) clock.setTimer(CLOCK_AFTERMATH_MS, clockKnown);
    clock.setTimer(MESH_AFTERMATH_MS, () => meshes.forEach((end) => end()));
  }

  /** At one of the next commits, at that phase of it. */
  async #powerCutAt(fault: Fault & `powerCut.${string}`, quarter: Quarter, random: SeededRandom): Promise<void> {
    const { gateway } = quarter;
    let commitsLeft = random.integer(1, 6);
    const died = new Promise<void>((resolve) => {
      gateway.onCommitPhase = (phase) => {
        if (fault !== `powerCut.${phase}` || --commitsLeft > 0) return false;
        gateway.onCommitPhase = () => false;
        this.#fire(fault, gateway.name);
        void this.#powerCut(quarter, random).then(resolve);
        return true;
      };
    });
    // At night nothing may be written for a long time.
    const isIdle = await Promise.race([died.then(() => false), sleep(this.town.clock, PAUSE_MAX_MS).then(() => true)]);
    if (!isIdle) return;
    gateway.onCommitPhase = () => false;
    if (gateway.field === undefined) await died;
  }

  #fire(fault: Fault, where: string): void {
    this.town.trace(`fault ${fault} ${where}`);
    this.town.unsettle();
    this.fired.set(fault, (this.fired.get(fault) ?? 0) + 1);
  }
}

const ignore = (): undefined => undefined;
