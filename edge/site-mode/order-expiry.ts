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
  readonly order: DoorOrder;
  /** Undefined for an order of an earlier run, as long as nobody knows the time. */
  readonly atMonotonicMs: number | undefined;
}

/**
 * When orders end that say for how long they are. An order ends as soon as the monotonic clock or a wall clock that is
 * known says so, so that no clock that is set back prolongs it. What restricts a door since before a restart stands until
 * the time is known; what opens one does not outlive a restart.
 */
export class OrderExpiry {
  #deadlines: ReadonlyMap<string, Deadline> = new Map();
  #timer: Timer | undefined;

  constructor(private readonly deps: OrderExpiryDeps) {}

  /** Takes up the orders that stand, by door. `isNew`: they were given in this run. */
  follow(orders: Readonly<Record<string, DoorOrder>>, isNew: boolean): void {
    const before = this.#deadlines;
    const { clock } = this.deps;
    this.#deadlines = new Map(
      Object.entries(orders).flatMap(([door, order]): [string, Deadline][] => {
        const known = before.get(door);
        if (known?.order === order) return [[door, known]];
        if (order.untilUnixMs === undefined) return [];
        const lastsMs = order.untilUnixMs - order.atUnixMs;
        return [[door, { order, atMonotonicMs: isNew ? clock.monotonicMs() + lastsMs : undefined }]];
      }),
    );
    this.#arm();
  }

  /** The doors whose order is over. */
  over(): string[] {
    const { clock, isClockKnown } = this.deps;
    const [nowMs, wallMs] = [clock.monotonicMs(), isClockKnown() ? clock.wall().unixMs : undefined];
    return [...this.#deadlines]
      .filter(
        ([, { order, atMonotonicMs = Infinity }]) =>
          nowMs >= atMonotonicMs || (wallMs !== undefined && wallMs >= (order.untilUnixMs ?? Infinity)),
      )
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
    const dueMs = Math.min(...[...this.#deadlines.values()].map(({ atMonotonicMs = Infinity }) => atMonotonicMs));
    const waitMs = Math.min(LOOK_EVERY_MS, Math.max(0, dueMs - clock.monotonicMs()));
    this.#timer = clock.setTimer(waitMs, () => {
      onDue();
      this.#arm();
    });
  }
}
