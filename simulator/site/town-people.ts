import type { AccessPoint, Credential, SiteFile } from '@sparc/protocol/policy';
import type { Clock } from '@sparc/protocol/ports';
import type { CardBits, SimulatedDoor } from '../devices/index.js';
import { cardBitsOf, Person, type ReaderFront } from '../people/index.js';
import {
  arrivingShare,
  errandsAt,
  ON_THE_STREET,
  TOWN_DOORS,
  townBlockOf,
  townOccupancyMax,
  type Places,
  type TownDoor,
  type Whereabouts,
} from '../scenarios/index.js';
import { sleep, type SeededRandom } from '../world/index.js';

const HOUR_MS = 3_600_000;
/** Until the next one comes to a door it is closed and locked again. */
const DOOR_PAUSE_MS = 16_000;
/** A visitor comes in time, late, and when the visit is over. */
const VISITS_COUNT = 3;
const VISIT_PAUSE_MS = 35 * 60_000;
/** A card of the town by its number, which is that of its person too. */
export const townCard = (number: number): CardBits => cardBitsOf({ format: 'h10301', facility: 7, number });

/** Issued by nobody. */
const STRANGER = townCard(60_000);
/** Shares of errands. */
const SHARES = {
  stranger: 0.03,
  force: 0.02,
  revoked: 0.06,
  passback: 0.03,
  elsewhere: 0.03,
  crowd: 0.12,
  gate: 0.5,
} as const;

export interface TownPeopleDeps {
  readonly clock: Clock;
  readonly random: SeededRandom;
  readonly site: SiteFile;
  /** How many times as many people as usual. */
  readonly pace: number;
  readonly doors: ReadonlyMap<string, SimulatedDoor>;
  /** A reader, and who stands before it. */
  front(at: TownDoor, point: AccessPoint, credential: Credential | undefined): ReaderFront;
  /** Somebody presses the button of a door. */
  leaves(at: TownDoor): void;
  /** Whose cards somebody revoked. */
  revoked(): readonly string[];
  /** Nobody goes there any more. */
  isAvoided(door: TownDoor): boolean;
  trace(line: string): void;
}

/** People of the town on their errands: more of them in the morning and in the evening, each with a body in one place. */
export class TownPeople {
  readonly #persons = new Map<string, Person>();
  readonly #places = new Map<string, Whereabouts>();
  readonly #inside: string[] = [];
  readonly #busyDoors = new Set<string>();
  readonly #busyPeople = new Set<string>();
  readonly #points = new Map<string, AccessPoint>();
  readonly #credentials: ReadonlyMap<string, Credential>;
  #closed = false;
  errandsCount = 0;
  visitorsCount = 0;

  constructor(private readonly deps: TownPeopleDeps) {
    for (const point of deps.site.accessPoints) this.#points.set(point.id, point);
    this.#credentials = new Map(deps.site.credentials.map((credential) => [credential.id, credential]));
  }

  get passagesCount(): number {
    return [...this.#persons.values()].reduce((count, { passages }) => count + passages.length, 0);
  }

  /** The bodies in the blocks. */
  get inside(): readonly string[] {
    return this.#inside;
  }

  /** Where whoever was ever seen is. */
  get places(): Places {
    return this.#places;
  }

  placeOf(credentialId: string): Whereabouts {
    return this.#places.get(credentialId) ?? ON_THE_STREET;
  }

  /** From now on people come; until `close`. */
  async live(): Promise<void> {
    const { clock, random } = this.deps;
    while (!this.#closed) {
      const perHour = this.deps.pace * errandsAt(clock.wall().unixMs);
      await sleep(clock, (-Math.log(1 - random.fraction()) * HOUR_MS) / perHour);
      if (!this.#closed) void this.#errand();
    }
  }

  /** A visitor with a card of their own comes to a door of a block, and again later. */
  async visit(card: CardBits, block: string, front: (door: TownDoor) => ReaderFront): Promise<void> {
    const doors = TOWN_DOORS.filter((door) => door.block === block && !door.isGate);
    const visitor = new Person(this.deps.clock, 'visitor', card);
    for (let times = 0; times < VISITS_COUNT && !this.#closed; times++) {
      await this.#at(this.deps.random.pick(doors), async (door) => {
        this.deps.trace(`visitor ${door.id}`);
        this.visitorsCount += Number(await visitor.enter(front(door), this.#door(door)));
      });
      await sleep(this.deps.clock, VISIT_PAUSE_MS);
    }
  }

  close(): void {
    this.#closed = true;
  }

  /** The number of somebody in a block. */
  somebody(): number | undefined {
    const credential = this.#somebodyInside();
    return credential && Number(credential.id.slice('card-'.length));
  }

  /** Whoever came and went so far, by credential. */
  get seen(): readonly string[] {
    return [...this.#places.keys()];
  }

  /** Their card is held to a reader of each gateway at the same moment, and nobody goes anywhere. */
  showEverywhere(credentialId: string): void {
    const credential = this.#credentials.get(credentialId);
    if (credential === undefined) return;
    for (const door of TOWN_DOORS.filter(({ isGate, index }) => isGate && index === 0)) {
      const point = this.#points.get(`${door.id}-in`);
      if (point === undefined || this.deps.isAvoided(door)) continue;
      this.deps.front(door, point, credential).presentCard(cardOf(credential));
    }
  }

  /** They tried to leave, and could not. */
  isTrapped(id: string): boolean {
    return this.#busyPeople.has(id);
  }

  /** Everybody goes home by the button of a gate. Resolves when all have tried; who is left is trapped. */
  async evacuate(): Promise<void> {
    const gates = TOWN_DOORS.filter(({ isGate }) => isGate);
    await Promise.all(gates.map((gate) => this.#drain(gate)));
  }

  async #drain(gate: TownDoor): Promise<void> {
    const mine = (id: string) => this.placeOf(id).block === gate.block && !this.#busyPeople.has(id);
    for (let id = this.#inside.find(mine); id !== undefined; id = this.#inside.find(mine)) {
      this.#busyPeople.add(id);
      const isOut = await this.#leaveByButton(gate, id);
      if (isOut) this.#move(id, undefined, true);
      // Whoever could not leave does not try again, and is found inside.
      if (isOut) this.#busyPeople.delete(id);
    }
  }

  async #errand(): Promise<void> {
    const { random } = this.deps;
    this.errandsCount += 1;
    let at = random.fraction();
    const is = (share: number) => (at -= share) < 0;
    if (is(SHARES.stranger)) return this.#at(random.pick(TOWN_DOORS), (door) => this.#stranger(door));
    if (is(SHARES.force)) return this.#at(random.pick(TOWN_DOORS), async (door) => this.#door(door).force());
    if (is(SHARES.revoked)) return this.#revoked();
    if (is(SHARES.passback)) return this.#passback();
    if (is(SHARES.elsewhere)) {
      const credential = random.pick(this.deps.site.credentials);
      const other = random.pick(TOWN_DOORS.filter(({ isGate }) => !isGate));
      return this.#at(
        other,
        async (door) => void (await this.#present(door, 'in', credential, this.#person(credential))),
      );
    }
    if (is(SHARES.crowd)) return this.#crowd();
    const arriving = arrivingShare(this.deps.clock.wall().unixMs);
    if (is(SHARES.gate)) return random.chance(arriving) ? this.#arrive() : this.#depart();
    return this.#within();
  }

  /** One person at a door at a time. */
  async #at(door: TownDoor, act: (door: TownDoor) => Promise<void>): Promise<void> {
    if (this.#busyDoors.has(door.id) || this.deps.isAvoided(door)) return;
    this.#busyDoors.add(door.id);
    await act(door);
    await sleep(this.deps.clock, DOOR_PAUSE_MS);
    this.#busyDoors.delete(door.id);
  }

  async #with(id: string, act: () => Promise<void>): Promise<void> {
    if (this.#busyPeople.has(id)) return;
    this.#busyPeople.add(id);
    await act();
    this.#busyPeople.delete(id);
  }

  #arrive(): Promise<void> {
    return this.#enter(this.deps.random.pick(this.deps.site.credentials));
  }

  /** Somebody comes to where others are already, and places are few. */
  async #crowd(): Promise<void> {
    const { random, site } = this.deps;
    const blocks = this.#inside
      .flatMap((id) => this.placeOf(id).block ?? [])
      .filter((block) => townOccupancyMax(block) < Infinity);
    if (blocks.length === 0) return this.#arrive();
    const block = random.pick(blocks);
    return this.#enter(random.pick(site.credentials.filter(({ id }) => townBlockOf(id) === block)));
  }

  async #enter(credential: Credential): Promise<void> {
    if (this.placeOf(credential.id).block !== undefined) return;
    await this.#with(credential.id, () =>
      this.#at(this.#gateOf(credential), (gate) => this.#through(gate, 'in', credential)),
    );
  }

  async #depart(): Promise<void> {
    const credential = this.#somebodyInside();
    if (credential === undefined) return;
    await this.#with(credential.id, () =>
      this.#at(this.#gateOf(credential), (gate) => this.#through(gate, 'out', credential)),
    );
  }

  /** Somebody inside hands their card to a friend on the street. */
  async #passback(): Promise<void> {
    const credential = this.#somebodyInside();
    if (credential === undefined) return;
    await this.#with(credential.id, () =>
      this.#at(this.#gateOf(credential), async (gate) => {
        const friend = new Person(this.deps.clock, `friend of ${credential.id}`, cardOf(credential));
        // The friend leaves at once again, by the button.
        if (await this.#present(gate, 'in', credential, friend)) this.#doubt(credential.id);
      }),
    );
  }

  /** Somebody tries a card that is worth nothing any more. */
  async #revoked(): Promise<void> {
    const { random } = this.deps;
    const ids = this.deps.revoked();
    const credential = ids.length === 0 ? undefined : this.#credentials.get(random.pick(ids));
    if (credential === undefined) return;
    const [profile = ''] = credential.accessProfiles;
    const doors = TOWN_DOORS.filter((door) => !door.isGate && profile.startsWith(`${door.block}-`));
    if (doors.length === 0) return;
    await this.#with(credential.id, () =>
      this.#at(random.pick(doors), async (door) => {
        await this.#present(door, 'in', credential, this.#person(credential));
      }),
    );
  }

  async #within(): Promise<void> {
    const credential = this.#somebodyInside();
    if (credential === undefined) return;
    const { block } = this.placeOf(credential.id);
    const doors = TOWN_DOORS.filter((door) => door.block === block && !door.isGate);
    await this.#with(credential.id, () =>
      this.#at(this.deps.random.pick(doors), async (door) => {
        if (!(await this.#present(door, 'in', credential, this.#person(credential)))) return;
        await sleep(this.deps.clock, DOOR_PAUSE_MS);
        await this.#leaveByButton(door, credential.id);
      }),
    );
  }

  async #through(gate: TownDoor, side: 'in' | 'out', credential: Credential): Promise<void> {
    const isThrough = await this.#present(gate, side, credential, this.#person(credential));
    if (isThrough) this.#move(credential.id, side === 'in' ? gate.block : undefined, false);
    else if (side === 'out') await this.#leaveInVain(gate, credential.id);
    else this.#doubt(credential.id);
  }

  /** The reader did not let them out, the button does. */
  async #leaveInVain(gate: TownDoor, id: string): Promise<void> {
    if (await this.#leaveByButton(gate, id)) this.#move(id, undefined, true);
  }

  async #leaveByButton(door: TownDoor, id: string): Promise<boolean> {
    const credential = this.#credentials.get(id);
    if (credential === undefined) return false;
    this.deps.leaves(door);
    return this.#person(credential).leave(this.#door(door));
  }

  async #present(door: TownDoor, side: 'in' | 'out', credential: Credential, person: Person): Promise<boolean> {
    this.deps.trace(`${credential.id} ${side} ${door.id}`);
    const point = this.#points.get(`${door.id}-${side}`);
    if (point === undefined) throw new Error(`${door.id} has no reader ${side}`);
    return person.enter(this.deps.front(door, point, credential), this.#door(door));
  }

  async #stranger(door: TownDoor): Promise<void> {
    const point = this.#points.get(`${door.id}-in`);
    if (point === undefined) return;
    await new Person(this.deps.clock, 'stranger', STRANGER).enter(
      this.deps.front(door, point, undefined),
      this.#door(door),
    );
  }

  #gateOf(credential: Credential): TownDoor {
    const [profile = ''] = credential.accessProfiles;
    const { block } = this.placeOf(credential.id);
    const gates = TOWN_DOORS.filter(
      (door) => door.isGate && (block === undefined ? profile.startsWith(`${door.block}-`) : door.block === block),
    );
    return this.deps.random.pick(gates.length > 0 ? gates : TOWN_DOORS.filter(({ isGate }) => isGate));
  }

  #somebodyInside(): Credential | undefined {
    if (this.#inside.length === 0) return undefined;
    return this.#credentials.get(this.deps.random.pick(this.#inside));
  }

  #move(id: string, block: string | undefined, isDoubtful: boolean): void {
    this.#places.set(id, {
      block,
      atMs: this.deps.clock.monotonicMs(),
      isDoubtful: isDoubtful || this.placeOf(id).isDoubtful,
    });
    const at = this.#inside.indexOf(id);
    if (block === undefined && at >= 0) this.#inside.splice(at, 1);
    if (block !== undefined && at < 0) this.#inside.push(id);
  }

  #doubt(id: string): void {
    this.#places.set(id, { ...this.placeOf(id), isDoubtful: true });
  }

  #door({ id }: TownDoor): SimulatedDoor {
    const door = this.deps.doors.get(id);
    if (door === undefined) throw new Error(`the town has no ${id}`);
    return door;
  }

  #person(credential: Credential): Person {
    const known = this.#persons.get(credential.id);
    if (known !== undefined) return known;
    const person = new Person(this.deps.clock, credential.holder, cardOf(credential));
    this.#persons.set(credential.id, person);
    return person;
  }
}

function cardOf({ identifiers: [first] }: Credential): CardBits {
  if (first === undefined) throw new Error('everybody in the town has a card');
  return cardBitsOf(first);
}
