import type { LogCommit, TimeQuality } from '@sparc/protocol/ports';
import type { SiteHistory } from '../scenarios/index.js';
import { HEALTHY_DISK, sleep, type SeededRandom, type SimulatedDisk, type VirtualClock } from '../world/index.js';
import { HEALTHY_BUS, type CardLevelBus } from './card-level-bus.js';
import type { SimulatedGateway } from './simulated-gateway.js';
import { COMMIT_PHASES } from './simulated-log-store.js';

const POWER_FAULTS = ['powerCut', ...COMMIT_PHASES.map((phase) => `powerCut.${phase}` as const)] as const;
const OTHER_FAULTS = ['slowDisk', 'failingDisk', 'deviceReboot', 'lossyBus', 'clockStep', 'policyChange'] as const;
/** What breaks in a site world; what its disk and its bus do meanwhile has names of its own. */
export const SITE_FAULTS = [...POWER_FAULTS, ...OTHER_FAULTS] as const;
export type SiteFault = (typeof SITE_FAULTS)[number];

const PAUSE_MIN_MS = 15_000;
const PAUSE_MAX_MS = 120_000;
/** Records that were late are on disk by then, and commands that were lost have been repeated. */
const AFTERMATH_MS = 15_000;
const MINUTE_MS = 60_000;

export interface FaultedSite {
  readonly clock: VirtualClock;
  readonly random: SeededRandom;
  readonly history: SiteHistory;
  readonly gateway: SimulatedGateway;
  readonly disk: SimulatedDisk<LogCommit>;
  readonly bus: CardLevelBus;
  readonly trace: (line: string) => void;
  /** Somebody edits the site file. */
  readonly changePolicy: () => void;
  readonly setWall: (offsetMs: number, quality: TimeQuality) => void;
}

/** Breaks one thing after the other, and cuts the power meanwhile; tells the history what is out of order. */
export class SiteFaults {
  readonly fired = new Map<SiteFault, number>();
  #healed = false;
  #running = 0;

  constructor(private readonly site: FaultedSite) {}

  start(): void {
    void this.#run(POWER_FAULTS);
    void this.#run(OTHER_FAULTS);
  }

  /** Nothing is broken any more, and nothing will be. */
  get ended(): boolean {
    return this.#running === 0;
  }

  /** Whatever is broken ends by itself; nothing new breaks. */
  heal(): void {
    this.#healed = true;
  }

  async #run(faults: readonly SiteFault[]): Promise<void> {
    const { clock } = this.site;
    const random = this.site.random.fork(faults.join());
    this.#running += 1;
    for (;;) {
      await sleep(clock, random.between(PAUSE_MIN_MS, PAUSE_MAX_MS));
      if (this.#healed) break;
      await this.#one(random.pick(faults), random);
    }
    this.#running -= 1;
  }

  async #one(fault: SiteFault, random: SeededRandom): Promise<void> {
    const { clock, history, disk, bus, setWall } = this.site;
    const lastsMs = random.between(5_000, 60_000);
    switch (fault) {
      case 'powerCut':
        this.#fire(fault);
        await this.#powerCut(random);
        break;
      case 'powerCut.beforeWrite':
      case 'powerCut.beforeFlush':
      case 'powerCut.afterFlush':
        await this.#powerCutAt(fault, random);
        break;
      case 'slowDisk':
      case 'failingDisk': {
        this.#fire(fault);
        const end = history.outage('disk');
        const isSlow = fault === 'slowDisk';
        const healthy = disk.behaviour;
        disk.behaviour = {
          ...healthy,
          slowRate: isSlow ? 1 : 0,
          slowMs: random.between(200, 4_000),
          failRate: isSlow ? 0 : random.between(0.5, 1),
        };
        await sleep(clock, lastsMs);
        disk.behaviour = { ...HEALTHY_DISK, lies: healthy.lies };
        clock.setTimer(AFTERMATH_MS, end);
        break;
      }
      case 'deviceReboot': {
        this.#fire(fault);
        random.pick([...bus.devices.values()]).powerCycle(random.between(500, 20_000));
        break;
      }
      case 'lossyBus': {
        this.#fire(fault);
        const end = history.outage('commands');
        bus.behaviour = { unansweredRate: 0.2, refusedRate: 0.2, staleReadRate: 0.3 };
        await sleep(clock, lastsMs);
        bus.behaviour = HEALTHY_BUS;
        clock.setTimer(AFTERMATH_MS, end);
        break;
      }
      case 'clockStep': {
        this.#fire(fault);
        setWall(random.integer(-180, 180) * MINUTE_MS, 'stepped');
        await sleep(clock, lastsMs * 10);
        setWall(0, 'synced');
        break;
      }
      case 'policyChange':
        this.#fire(fault);
        this.site.changePolicy();
        break;
    }
  }

  #fire(fault: SiteFault): void {
    this.site.trace(`fault ${fault}`);
    this.fired.set(fault, (this.fired.get(fault) ?? 0) + 1);
  }

  async #powerCut(random: SeededRandom): Promise<void> {
    const { clock, history, gateway } = this.site;
    const end = history.outage('gateway');
    gateway.crash();
    await sleep(clock, random.between(1_000, 40_000));
    gateway.start();
    end();
  }

  /** At one of the next commits, at that phase of it. */
  async #powerCutAt(fault: SiteFault & `powerCut.${string}`, random: SeededRandom): Promise<void> {
    const { gateway } = this.site;
    let commitsLeft = random.integer(1, 8);
    await new Promise<void>((resolve) => {
      gateway.onCommitPhase = (phase) => {
        if (fault !== `powerCut.${phase}` || --commitsLeft > 0) return false;
        gateway.onCommitPhase = () => false;
        this.#fire(fault);
        void this.#powerCut(random).then(resolve);
        return true;
      };
    });
  }
}
