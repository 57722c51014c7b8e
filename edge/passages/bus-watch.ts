import type { AreaPeers } from './area-peers.js';
import type { BookDeps } from './book.js';
import { keyList } from './key-list.js';

/** Gateways that start together have that long to say which buses they have. */
const BUS_PATIENCE_MS = 60_000;

/** Says once that a bus is nobody's, or of several gateways; one of the gateways that reach each other says it. */
export class BusWatch {
  readonly #told = new Set<string>();

  constructor(
    private readonly deps: Pick<BookDeps, 'record'>,
    private readonly peers: AreaPeers,
  ) {}

  look(): void {
    const { peers } = this;
    if (!peers.isCaughtUpFor(BUS_PATIENCE_MS) || !peers.speaksForAll) return;
    const unclaimed = new Set(peers.unclaimedBuses);
    const contested = peers.contestedBuses;
    for (const bus of this.#told) if (!unclaimed.has(bus) && !contested.has(bus)) this.#told.delete(bus);
    for (const busId of unclaimed) if (this.#isNews(busId)) this.deps.record({ name: 'mesh.bus_unclaimed', busId });
    for (const [busId, gateways] of contested) {
      if (!this.#isNews(busId)) continue;
      this.deps.record({ name: 'mesh.bus_contested', busId, detail: { gateways: keyList(gateways) } });
    }
  }

  #isNews(bus: string): boolean {
    if (this.#told.has(bus)) return false;
    this.#told.add(bus);
    return true;
  }
}
