import {
  fireAt,
  TOWN_DOORS,
  TOWN_FIRE_INPUT_NUMBER,
  townDevice,
  townFireInput,
  type Burning,
  type TownDoor,
  type TownTruth,
} from '../scenarios/index.js';
import { sleep, type SeededRandom, type VirtualClock } from '../world/index.js';
import type { TownOperators } from './town-operators.js';
import type { Quarter } from './town-quarters.js';

export const FIRE_FAULT = 'fire';

const PAUSE_MIN_MS = 5 * 60_000;
const PAUSE_MAX_MS = 20 * 60_000;
const SMOKE_MIN_MS = 30_000;
const SMOKE_MAX_MS = 4 * 60_000;
/** From the last smoke to the word of a person. */
const LATCHED_MIN_MS = 10_000;
const LATCHED_MAX_MS = 2 * 60_000;
/** Until doors that a fire freed are locked again, also where a gateway was away meanwhile. */
const AFTERMATH_MS = 5 * 60_000;

export interface TownFireDeps {
  readonly clock: VirtualClock;
  readonly random: SeededRandom;
  /** How many times as often as usual it burns. */
  readonly pace: number;
  readonly quarters: readonly Quarter[];
  readonly truth: TownTruth;
  readonly operators: TownOperators;
  readonly isStolen: (gateway: number) => boolean;
  unsettle(): void;
  trace(line: string): void;
}

/** Smoke at a detector, now here and now there; a named person ends the alarm, and nobody else does. */
export class TownFire {
  readonly burnt: Burning[] = [];
  readonly #freed = new Set<string>();
  #closed = false;
  #burns = false;

  constructor(private readonly deps: TownFireDeps) {}

  get fired(): ReadonlyMap<typeof FIRE_FAULT, number> {
    return new Map([[FIRE_FAULT, this.burnt.length]]);
  }

  /** Nobody needs a card there now. */
  isFree({ id }: TownDoor): boolean {
    return this.#freed.has(id);
  }

  get ended(): boolean {
    return !this.#burns;
  }

  close(): void {
    this.#closed = true;
  }

  /** Until `close`. */
  async live(): Promise<void> {
    const { clock, random, quarters } = this.deps;
    for (;;) {
      await sleep(clock, random.between(PAUSE_MIN_MS, PAUSE_MAX_MS) / this.deps.pace);
      if (this.#closed) return;
      const gateway = random.integer(0, quarters.length - 1);
      if (this.deps.isStolen(gateway) || this.deps.isStolen(gateway ^ 1)) continue;
      this.#burns = true;
      await this.#burn(gateway);
      this.#burns = false;
    }
  }

  async #burn(gateway: number): Promise<void> {
    const { clock, random, quarters, truth, operators } = this.deps;
    const device = quarters[gateway]?.bus.devices.get(townDevice(gateway));
    const doors = TOWN_DOORS.filter((door) => door.isFreedByFire && (door.gateway ^ gateway) <= 1);
    const ends = doors.map(({ id, gateway: at }) => quarters[at]?.history.outage(fireAt(id)));
    for (const { id } of doors) this.#freed.add(id);
    const burning: Burning = { gateway, atMs: clock.monotonicMs(), endMs: Infinity };
    this.burnt.push(burning);
    this.deps.trace(`fire ${gateway}`);
    this.deps.unsettle();
    device?.setInput(TOWN_FIRE_INPUT_NUMBER, true);
    await sleep(clock, random.between(SMOKE_MIN_MS, SMOKE_MAX_MS));
    device?.setInput(TOWN_FIRE_INPUT_NUMBER, false);
    await sleep(clock, random.between(LATCHED_MIN_MS, LATCHED_MAX_MS));
    burning.endMs = clock.monotonicMs();
    // An alarm may come late to the ears of a person: from a disk that refused it, or a gateway that was away.
    do {
      await operators.release(truth.fires());
      await sleep(clock, AFTERMATH_MS);
    } while ([gateway, gateway ^ 1].some((at) => this.#isAlarmed(at, gateway)));
    this.deps.unsettle();
    for (const { id } of doors) this.#freed.delete(id);
    for (const end of ends) end?.();
  }

  /** One gateway of a block says that there is a fire at the detector of one, or says nothing. */
  #isAlarmed(at: number, gateway: number): boolean {
    const { quarters, isStolen } = this.deps;
    if (isStolen(at)) return false;
    const mode = quarters[at]?.gateway.field?.snapshot().mode;
    return mode === undefined || mode.fires.includes(townFireInput(gateway));
  }
}
