import type { Clock, MeshNetwork, MeshNetworkHandlers, MeshReply, Timer } from '@sparc/protocol/ports';

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
export class NeighbourWatch implements MeshNetwork {
  readonly #hereSince = new Map<string, number>();
  readonly #awaySince = new Map<string, number>();
  /** Those that are away, but not long enough to be lost. */
  readonly #leaving = new Map<string, Timer>();

  constructor(
    private readonly clock: Clock,
    private readonly network: MeshNetwork,
    private readonly told: NeighbourHandlers,
  ) {}

  /** By neighbour: the wall time at which it was connected to. */
  get hereSinceUnixMs(): ReadonlyMap<string, number> {
    return this.#hereSince;
  }

  /** By neighbour that was here and is away: the wall time at which its link ended. */
  get awaySinceUnixMs(): ReadonlyMap<string, number> {
    return this.#awaySince;
  }

  start(handlers: MeshNetworkHandlers): Promise<void> {
    return this.network.start({
      onConnected: (neighbour) => {
        this.#came(neighbour);
        handlers.onConnected(neighbour);
      },
      onDisconnected: (neighbour) => {
        this.#went(neighbour);
        handlers.onDisconnected(neighbour);
      },
      onMessage: (neighbour, message) => handlers.onMessage(neighbour, message),
      serve: (neighbour, request) => handlers.serve(neighbour, request),
    });
  }

  send(neighbour: string, message: Uint8Array): void {
    this.network.send(neighbour, message);
  }

  request(neighbour: string, request: Uint8Array): MeshReply {
    return this.network.request(neighbour, request);
  }

  refuse(neighbour: string, why: string): void {
    this.network.refuse(neighbour, why);
  }

  async stop(): Promise<void> {
    await this.network.stop();
    for (const timer of this.#leaving.values()) timer.cancel();
    this.#leaving.clear();
    this.#hereSince.clear();
    this.#awaySince.clear();
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
}
