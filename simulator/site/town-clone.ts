import { sleep, type SeededRandom, type VirtualClock } from '../world/index.js';
import type { TownGateway } from './town-gateway.js';
import type { Quarter } from './town-quarters.js';

/** Two machines live with one key. */
export const CLONE_FAULT = 'clonedKey';

const HOUR_MS = 3_600_000;
/** How likely, within an hour, somebody brings a gateway up from a copy on another machine, and leaves it there for a while. */
const PER_HOUR = 0.25;
const BEGINS_MIN = 0.1;
const BEGINS_MAX = 0.7;
const LIVES_MIN_MS = 60_000;
const LIVES_MAX_MS = 4 * 60_000;
/** Until all that either said is everywhere, and whoever was mistaken for the other is heard again. */
const AFTERMATH_MS = 150_000;

export interface TownCloneDeps {
  readonly clock: VirtualClock;
  readonly random: SeededRandom;
  readonly quarters: readonly Quarter[];
  readonly isStolen: (gateway: TownGateway) => boolean;
  /** Another machine with its key, which is off. */
  clone(of: TownGateway): TownGateway;
  unsettle(): void;
  trace(line: string): void;
}

/** A gateway and its copy, which has no door and knows no better than to be the gateway. */
export class TownClone {
  readonly fired = new Map<typeof CLONE_FAULT, number>();
  #isAlive = false;

  constructor(private readonly deps: TownCloneDeps) {}

  get ended(): boolean {
    return !this.#isAlive;
  }

  /** Once within `durationMs`, or not at all. */
  async live(durationMs: number): Promise<void> {
    const { clock, random } = this.deps;
    if (!random.chance((PER_HOUR * durationMs) / HOUR_MS)) return;
    await sleep(clock, random.between(BEGINS_MIN, BEGINS_MAX) * durationMs);
    const { gateway } = random.pick(
      this.deps.quarters.filter((quarter) => !quarter.gateway.isSetBack && !this.deps.isStolen(quarter.gateway)),
    );
    this.#isAlive = true;
    await this.#copy(gateway);
    this.#isAlive = false;
  }

  async #copy(gateway: TownGateway): Promise<void> {
    const { clock, random, quarters } = this.deps;
    this.fired.set(CLONE_FAULT, 1);
    this.deps.trace(`${CLONE_FAULT} ${gateway.name}`);
    this.deps.unsettle();
    const ends = quarters.map(({ history }) => history.outage('mesh'));
    const clone = this.deps.clone(gateway);
    clone.start();
    await sleep(clock, random.between(LIVES_MIN_MS, LIVES_MAX_MS));
    clone.crash();
    this.deps.trace(`${CLONE_FAULT} is off`);
    await sleep(clock, AFTERMATH_MS);
    for (const end of ends) end();
  }
}
