import type { Clock, TimeQuality, Timer, WallTime } from '@sparc/protocol/ports';
import { EventQueue } from './event-queue.js';
import { settled, whileSettled } from './platform/settled.js';

/** More events than this at one instant is a loop that never lets time pass. */
const EVENTS_PER_INSTANT_MAX = 100_000;

/** A delay shorter than a microsecond lasts one: adding a smaller number to the time might not change it. */
const RESOLUTION_MS = 0.001;

export interface VirtualClockOptions {
  /** Wall time at monotonic 0. Default 2026-01-05T08:00Z, a Monday. */
  readonly startUnixMs?: number;
  readonly quality?: TimeQuality;
}

/**
 * Time that passes only when told to. Timers run in order of instant, then of scheduling; between two of them every
 * promise reaction runs to its end, so asynchronous code has one history too.
 */
export class VirtualClock implements Clock {
  readonly #queue = new EventQueue();
  #nowMs = 0;
  #wallAtZeroMs: number;
  #quality: TimeQuality;

  constructor(options: VirtualClockOptions = {}) {
    this.#wallAtZeroMs = options.startUnixMs ?? Date.UTC(2026, 0, 5, 8);
    this.#quality = options.quality ?? 'synced';
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  wall(): WallTime {
    return { unixMs: Math.floor(this.#wallAtZeroMs + this.#nowMs), quality: this.#quality };
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    return this.#queue.push(this.#nowMs + (delayMs > 0 ? Math.max(delayMs, RESOLUTION_MS) : 0), callback);
  }

  /** Moves wall time without moving monotonic time. */
  stepWall(deltaMs: number, quality: TimeQuality = this.#quality): void {
    this.#wallAtZeroMs += deltaMs;
    this.#quality = quality;
  }

  /** Instant of the next timer, or undefined when nothing is scheduled. */
  nextTimerAtMs(): number | undefined {
    return this.#queue.peek()?.atMs;
  }

  /** Lets all promise reactions run; no time passes. */
  settle(): Promise<void> {
    return settled();
  }

  /** Runs every timer due until the instant, which is then now. An error in a timer's callback rejects. */
  async run(untilMs: number): Promise<void> {
    await this.#runTimers(untilMs, () => false);
  }

  advance(durationMs: number): Promise<void> {
    return this.run(this.#nowMs + durationMs);
  }

  /** Advances until the condition holds and returns true, or until `withinMs` have passed and returns false. */
  async runUntil(condition: () => boolean, withinMs: number): Promise<boolean> {
    const endMs = this.#nowMs + withinMs;
    await settled();
    return condition() || this.#runTimers(endMs, condition);
  }

  /** Stops when all timers of an instant have run and the condition holds. */
  async #runTimers(untilMs: number, condition: () => boolean): Promise<boolean> {
    let eventsAtInstant = 0;
    let isMet = false;
    await whileSettled(() => {
      const event = this.#queue.peek();
      const isInstantOver = event === undefined || event.atMs > this.#nowMs;
      isMet = isInstantOver && condition();
      if (isMet || event === undefined || event.atMs > untilMs) return false;
      eventsAtInstant = isInstantOver ? 0 : eventsAtInstant + 1;
      if (eventsAtInstant > EVENTS_PER_INSTANT_MAX) throw new Error(`time stands still at ${this.#nowMs} ms`);
      this.#queue.pop();
      this.#nowMs = Math.max(this.#nowMs, event.atMs);
      event.callback();
      return true;
    });
    if (isMet) return true;
    this.#nowMs = Math.max(this.#nowMs, untilMs);
    return condition();
  }
}
