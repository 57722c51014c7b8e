import { standsOpen } from '@sparc/protocol/policy';
import type { Clock, Timer } from '@sparc/protocol/ports';
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
  #deadlines: ReadonlyMap<DoorOrder, Deadline> = new Map();
  #timer: Timer | undefined;

  constructor(private readonly deps: OrderExpiryDeps) {}

  /** Takes up the orders that stand. `isNew`: those not seen before were given in this run. */
  follow(orders: readonly DoorOrder[], isNew: boolean): void {
    const before = this.#deadlines;
    const nowMs = this.deps.clock.monotonicMs();
    this.#deadlines = new Map(
      orders.flatMap((order): [DoorOrder, Deadline][] => {
        const known = before.get(order);
        if (known !== undefined) return [[order, known]];
        if (order.forMs === undefined) return [];
        const doesWallCount = order.isTimeUnknown !== true && (!isNew || standsOpen(order.mode));
        const atUnixMs = doesWallCount ? order.atUnixMs + order.forMs : Infinity;
        return [[order, { atMonotonicMs: nowMs + order.forMs, atUnixMs }]];
      }),
    );
    this.#arm();
  }

  isOver(order: DoorOrder): boolean {
    const leftMs = this.#leftMs(order);
    return leftMs !== undefined && leftMs <= 0;
  }

  /** When an order will end, on the wall clock as it is now. Undefined: not by itself. */
  endsAtUnixMs(order: DoorOrder): number | undefined {
    const leftMs = this.#leftMs(order);
    return leftMs === undefined ? undefined : Math.round(this.deps.clock.wall().unixMs + leftMs);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #leftMs(order: DoorOrder): number | undefined {
    const deadline = this.#deadlines.get(order);
    if (deadline === undefined) return undefined;
    const { clock, isClockKnown } = this.deps;
    const monotonicMs = deadline.atMonotonicMs - clock.monotonicMs();
    return isClockKnown() ? Math.min(monotonicMs, deadline.atUnixMs - clock.wall().unixMs) : monotonicMs;
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
