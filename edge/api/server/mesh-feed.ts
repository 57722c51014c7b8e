import type { DeliveryView } from '@sparc/protocol/delivery';
import type { Clock, Timer } from '@sparc/protocol/ports';
import type { MeshView } from '../mesh-view.js';
import type { EventStreams } from './event-streams.js';

/** How far what a page shows of the mesh is behind. */
export const MESH_FEED_INTERVAL_MS = 1_000;
/** The same of directives and their answers, which people wait for. */
export const DIRECTIVE_FEED_INTERVAL_MS = 100;

export interface MeshFeedViews {
  readonly mesh: () => MeshView;
  readonly delivery: () => DeliveryView;
}

/** Lets pages follow the mesh. Its views are made again and again, but only while somebody looks on. */
export class MeshFeed {
  #timer: Timer | undefined;
  #directiveTimer: Timer | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly streams: EventStreams,
    private readonly views: MeshFeedViews,
  ) {}

  start(): void {
    this.#timer = this.clock.setTimer(MESH_FEED_INTERVAL_MS, () => {
      if (this.streams.count > 0) this.streams.state('mesh', this.views.mesh());
      this.#sendDelivery();
      this.start();
    });
  }

  /** A directive was given or answered. */
  directive(): void {
    this.#directiveTimer ??= this.clock.setTimer(DIRECTIVE_FEED_INTERVAL_MS, () => {
      this.#directiveTimer = undefined;
      this.#sendDelivery();
    });
  }

  stop(): void {
    this.#timer?.cancel();
    this.#directiveTimer?.cancel();
  }

  #sendDelivery(): void {
    if (this.streams.count > 0) this.streams.state('delivery', this.views.delivery());
  }
}
