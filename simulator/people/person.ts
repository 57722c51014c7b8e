import type { Clock } from '@sparc/protocol/ports';
import type { CardBits, SimulatedDoor } from '../devices/index.js';
import { sleep } from '../world/index.js';

/** What a person does to a reader; a simulated reader at byte level and one at card level both offer it. */
export interface ReaderFront {
  presentCard(card: CardBits): void;
  pressKeys(keys: string): void;
}

export interface Passage {
  readonly personId: string;
  readonly doorId: string;
  readonly atMs: number;
  readonly by: 'card' | 'exitButton';
}

/** How a person moves, in milliseconds. */
export interface Habits {
  /** Between card and first key, and from key to key. */
  readonly keyPauseMs: number;
  /** Between two tries of the handle. */
  readonly handlePauseMs: number;
  /** Gives up after this long. */
  readonly patienceMs: number;
  /** From opening the leaf to letting go of it. */
  readonly walkMs: number;
  readonly buttonMs: number;
}

export const HABITS: Habits = {
  keyPauseMs: 250,
  handlePauseMs: 200,
  patienceMs: 6_000,
  walkMs: 1_500,
  buttonMs: 400,
};

/** Somebody with a card: does what people do at doors and remembers which of them opened. */
export class Person {
  readonly passages: Passage[] = [];

  constructor(
    private readonly clock: Clock,
    readonly id: string,
    private readonly card: CardBits,
    private readonly pin?: string,
    private readonly habits: Habits = HABITS,
  ) {}

  /** Presents the card, types the PIN if there is one to type, tries the handle, walks through. True when inside. */
  async enter(reader: ReaderFront, door: SimulatedDoor, pin = this.pin): Promise<boolean> {
    reader.presentCard(this.card);
    if (pin !== undefined) await this.#type(reader, pin);
    return this.#walkThrough(door, 'card');
  }

  /** Presses the exit button and leaves. */
  async leave(door: SimulatedDoor): Promise<boolean> {
    door.pressExitButton(this.habits.buttonMs);
    return this.#walkThrough(door, 'exitButton');
  }

  /** Enters and keeps the door open. */
  async enterAndHold(reader: ReaderFront, door: SimulatedDoor, durationMs: number): Promise<boolean> {
    reader.presentCard(this.card);
    const isOpen = await this.#openDoor(door);
    if (!isOpen) return false;
    door.hold();
    this.#remember(door, 'card');
    await sleep(this.clock, durationMs);
    door.letGo();
    return true;
  }

  async #type(reader: ReaderFront, pin: string): Promise<void> {
    for (const key of pin) {
      await sleep(this.clock, this.habits.keyPauseMs);
      reader.pressKeys(key);
    }
    await sleep(this.clock, this.habits.keyPauseMs);
    reader.pressKeys('#');
  }

  async #walkThrough(door: SimulatedDoor, by: Passage['by']): Promise<boolean> {
    if (!(await this.#openDoor(door))) return false;
    door.hold();
    this.#remember(door, by);
    await sleep(this.clock, this.habits.walkMs);
    door.letGo();
    return true;
  }

  async #openDoor(door: SimulatedDoor): Promise<boolean> {
    const givesUpAtMs = this.clock.monotonicMs() + this.habits.patienceMs;
    while (!door.pull()) {
      if (this.clock.monotonicMs() >= givesUpAtMs) return false;
      await sleep(this.clock, this.habits.handlePauseMs);
    }
    return true;
  }

  #remember(door: SimulatedDoor, by: Passage['by']): void {
    this.passages.push({ personId: this.id, doorId: door.id, atMs: this.clock.monotonicMs(), by });
  }
}
