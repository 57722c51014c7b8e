import type { Clock, Timer } from '@sparc/protocol/ports';
import type { MeshView } from '../mesh-view.js';
import type { EventStreams } from './event-streams.js';

/** How far what a page shows of the mesh is behind. */
export const MESH_FEED_INTERVAL_MS = 1_000;

/** Lets pages follow the mesh. Its view is made again and again, but only while somebody looks on. */
export class MeshFeed {
  #timer: Timer | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly streams: EventStreams,
    private readonly view: () => MeshView,
  ) {}

  start(): void {
    this.#timer = this.clock.setTimer(MESH_FEED_INTERVAL_MS, () => {
      if (this.streams.count > 0) this.streams.state('mesh', this.view());
      this.start();
    });
  }

  stop(): void {
    this.#timer?.cancel();
  }
}
