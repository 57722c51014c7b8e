import type { Clock, Timer } from '@sparc/protocol/ports';
import { standsOpen } from '../doors/index.js';
import type { DoorOrder } from './site-mode.js';

/** The wall clock may be set, or become known, at any time. */
const LOOK_EVERY_MS = 60_000;

export interface OrderExpiryDeps {
  readonly clock: Clock;
  /** Whether somebody vouches for the wall clock. */
  readonly isClockKnown: () => boolean;
  /** Now, or a little later, some order is over. */
  readonly onDue: () => void;
}

interface Deadline {
  readonly order: DoorOrder;
  readonly atMonotonicMs: number;
  /** By the wall clock; Infinity where it says nothing about the order. */
  readonly atUnixMs: number;
}

/**
 * When orders end that say for how long they are: when that time has passed on the monotonic clock, so that no clock that
 * is set prolongs them. After a restart it runs anew, because nobody knows how long that took; then a wall clock that is
 * known ends an order earlier. What opens a door it ends at any time, because it may err on that side only.
 */
export class OrderExpiry {
  #deadlines: ReadonlyMap<string, Deadline> = new Map();
  #timer: Timer | undefined;

  constructor(private readonly deps: OrderExpiryDeps) {}

  /** Takes up the orders that stand, by door. `isNew`: those not seen before were given in this run. */
  follow(orders: Readonly<Record<string, DoorOrder>>, isNew: boolean): void {
    const before = this.#deadlines;
    const nowMs = this.deps.clock.monotonicMs();
    this.#deadlines = new Map(
      Object.entries(orders).flatMap(([door, order]): [string, Deadline][] => {
        const known = before.get(door);
        if (known?.order === order) return [[door, known]];
        if (order.forMs === undefined) return [];
        const doesWallCount = order.isTimeUnknown !== true && (!isNew || standsOpen(order.mode));
        const atUnixMs = doesWallCount ? order.atUnixMs + order.forMs : Infinity;
        return [[door, { order, atMonotonicMs: nowMs + order.forMs, atUnixMs }]];
      }),
    );
    this.#arm();
  }

  /** The doors whose order is over. */
  over(): string[] {
    const { clock, isClockKnown } = this.deps;
    const [nowMs, wallMs] = [clock.monotonicMs(), isClockKnown() ? clock.wall().unixMs : -Infinity];
    return [...this.#deadlines]
      .filter(([, { atMonotonicMs, atUnixMs }]) => nowMs >= atMonotonicMs || wallMs >= atUnixMs)
      .map(([door]) => door);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #arm(): void {
    this.stop();
    if (this.#deadlines.size === 0) return;
    const { clock, onDue } = this.deps;
    const dueMs = Math.min(...[...this.#deadlines.values()].map(({ atMonotonicMs }) => atMonotonicMs));
    const waitMs = Math.min(LOOK_EVERY_MS, Math.max(0, dueMs - clock.monotonicMs()));
    this.#timer = clock.setTimer(waitMs, () => {
      onDue();
      this.#arm();
    });
  }
}
