import type { Clock, MeshNetwork, Timer } from '@sparc/protocol/ports';
import { tapped } from './tapped-network.js';

/** A gateway that restarts is back sooner, and was not lost. */
export const LOST_AFTER_MS = 10_000;

/** Told when neighbours come, and when they stay away. */
export interface NeighbourHandlers {
  onFound(neighbour: string): void;
  /** Its link ended; nobody else was told yet. */
  onGoing(neighbour: string): void;
  onLost(neighbour: string): void;
}

/** Looks on at a network: who is here since when. */
export class NeighbourWatch {
  /** What it looks on at, to be used in its place. */
  readonly network: MeshNetwork;
  readonly #hereSince = new Map<string, number>();
  readonly #awaySince = new Map<string, number>();
  /** Those that are away, but not long enough to be lost. */
  readonly #leaving = new Map<string, Timer>();

  constructor(
    private readonly clock: Clock,
    network: MeshNetwork,
    private readonly told: NeighbourHandlers,
  ) {
    this.network = tapped(network, {
      onConnected: (neighbour) => this.#came(neighbour),
      onDisconnected: (neighbour) => this.#went(neighbour),
      onStopped: () => this.#forget(),
    });
  }

  /** By neighbour: the wall time at which it was connected to. */
  get hereSinceUnixMs(): ReadonlyMap<string, number> {
    return this.#hereSince;
  }

  /** By neighbour that was here and is away: the wall time at which its link ended. */
  get awaySinceUnixMs(): ReadonlyMap<string, number> {
    return this.#awaySince;
  }

  #came(neighbour: string): void {
    const leaving = this.#leaving.get(neighbour);
    this.#hereSince.set(neighbour, this.clock.wall().unixMs);
    this.#awaySince.delete(neighbour);
    if (leaving === undefined) return this.told.onFound(neighbour);
    leaving.cancel();
    this.#leaving.delete(neighbour);
  }

  #went(neighbour: string): void {
    if (!this.#hereSince.delete(neighbour)) return;
    this.#awaySince.set(neighbour, this.clock.wall().unixMs);
    this.told.onGoing(neighbour);
    const timer = this.clock.setTimer(LOST_AFTER_MS, () => {
      this.#leaving.delete(neighbour);
      this.told.onLost(neighbour);
    });
    this.#leaving.set(neighbour, timer);
  }

  #forget(): void {
    for (const timer of this.#leaving.values()) timer.cancel();
    this.#leaving.clear();
    this.#hereSince.clear();
    this.#awaySince.clear();
  }
}
