import { TOWN_BELL_INPUT_NUMBER, townBellDoor, townDevice, type Ring } from '../scenarios/index.js';
import { sleep, type SeededRandom, type VirtualClock } from '../world/index.js';
import type { Quarter } from './town-quarters.js';

const PAUSE_MIN_MS = 2 * 60_000;
const PAUSE_MAX_MS = 8 * 60_000;
const PRESS_MIN_MS = 300;
const PRESS_MAX_MS = 2_000;

export interface TownBellsDeps {
  readonly clock: VirtualClock;
  readonly random: SeededRandom;
  /** How many times as often as usual somebody rings. */
  readonly pace: number;
  readonly quarters: readonly Quarter[];
  readonly isStolen: (gateway: number) => boolean;
  trace(line: string): void;
}

/** Somebody rings at one gateway, and a linkage rule opens a door of another one. */
export class TownBells {
  readonly rings: Ring[] = [];
  #closed = false;

  constructor(private readonly deps: TownBellsDeps) {}

  close(): void {
    this.#closed = true;
  }

  /** Until `close`. */
  async live(): Promise<void> {
    const { clock, random, quarters, pace, isStolen } = this.deps;
    for (const gateway of quarters.keys()) this.#set(gateway, false);
    for (;;) {
      await sleep(clock, random.between(PAUSE_MIN_MS, PAUSE_MAX_MS) / pace);
      if (this.#closed) return;
      const gateway = random.integer(0, quarters.length - 1);
      if (!isStolen(gateway)) await this.#ring(gateway);
    }
  }

  async #ring(gateway: number): Promise<void> {
    const { clock, random, quarters } = this.deps;
    const door = townBellDoor(gateway);
    const atMs = clock.monotonicMs();
    this.deps.trace(`rings ${gateway}`);
    this.rings.push({ gateway, atMs });
    quarters[door.gateway]?.history.rung.add(door.id, atMs);
    this.#set(gateway, true);
    await sleep(clock, random.between(PRESS_MIN_MS, PRESS_MAX_MS));
    this.#set(gateway, false);
  }

  #set(gateway: number, isPressed: boolean): void {
    const device = this.deps.quarters[gateway]?.bus.devices.get(townDevice(gateway));
    device?.setInput(TOWN_BELL_INPUT_NUMBER, isPressed);
  }
}
