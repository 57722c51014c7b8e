import type { Clock, Timer } from '@sparc/protocol/ports';
import type { SimulatedLock } from './simulated-lock.js';

export interface DoorPhysics {
  /** From letting go of the open leaf until it is closed. */
  readonly closerMs: number;
  /** The contact flutters this many times, this far apart, whenever the leaf opens or closes. */
  readonly bounces: number;
  readonly bounceMs: number;
}

export const DOOR_PHYSICS: DoorPhysics = { closerMs: 2_000, bounces: 2, bounceMs: 15 };

export interface DoorMovement {
  readonly atMs: number;
  readonly open: boolean;
  readonly by: 'pull' | 'force' | 'closer';
}

/** A leaf in a frame: it opens when its lock is released, or by force; its closer shuts it; its contact bounces. */
export class SimulatedDoor {
  readonly movements: DoorMovement[] = [];
  /** The contact, true while it reports open. */
  onContact: (open: boolean) => void = () => undefined;
  onExitButton: (pressed: boolean) => void = () => undefined;
  onChange: () => void = () => undefined;
  #open = false;
  #held = false;
  #contactOpen = false;
  #exitPressed = false;
  #closer: Timer | undefined;
  #bounce: Timer | undefined;
  #release: Timer | undefined;

  constructor(
    readonly id: string,
    readonly lock: SimulatedLock,
    private readonly clock: Clock,
    private readonly physics: DoorPhysics = DOOR_PHYSICS,
  ) {}

  get open(): boolean {
    return this.#open;
  }

  get held(): boolean {
    return this.#held;
  }

  get contactOpen(): boolean {
    return this.#contactOpen;
  }

  get exitPressed(): boolean {
    return this.#exitPressed;
  }

  /** Pulls the leaf once and lets go. True when it is open then. */
  pull(): boolean {
    if (!this.#open && !this.lock.released) return false;
    this.#move('pull');
    return true;
  }

  /** Kicks it in. */
  force(): void {
    this.#move('force');
  }

  /** Keeps an open leaf open. */
  hold(): void {
    this.#held = true;
    this.#closer?.cancel();
  }

  letGo(): void {
    this.#held = false;
    if (this.#open) this.#startCloser();
  }

  /** Shuts it at once, whatever held it. */
  close(): void {
    this.#held = false;
    this.#closer?.cancel();
    if (this.#open) this.#set(false, 'closer');
  }

  pressExitButton(durationMs: number): void {
    this.#release?.cancel();
    this.#setExit(true);
    this.#release = this.clock.setTimer(durationMs, () => this.#setExit(false));
  }

  #setExit(pressed: boolean): void {
    if (pressed === this.#exitPressed) return;
    this.#exitPressed = pressed;
    this.onExitButton(pressed);
    this.onChange();
  }

  #move(by: 'pull' | 'force'): void {
    if (!this.#open) this.#set(true, by);
    if (!this.#held) this.#startCloser();
  }

  #startCloser(): void {
    this.#closer?.cancel();
    this.#closer = this.clock.setTimer(this.physics.closerMs, () => this.#set(false, 'closer'));
  }

  #set(open: boolean, by: DoorMovement['by']): void {
    this.#open = open;
    this.movements.push({ atMs: this.clock.monotonicMs(), open, by });
    this.#bounce?.cancel();
    this.#flutter(open, 2 * this.physics.bounces);
    this.onChange();
  }

  /** The contact ends at `settled` after an even number of further changes. */
  #flutter(settled: boolean, changesLeft: number): void {
    const reported = changesLeft % 2 === 0 ? settled : !settled;
    if (reported !== this.#contactOpen) {
      this.#contactOpen = reported;
      this.onContact(reported);
    }
    if (changesLeft === 0) return;
    this.#bounce = this.clock.setTimer(this.physics.bounceMs, () => this.#flutter(settled, changesLeft - 1));
  }
}
