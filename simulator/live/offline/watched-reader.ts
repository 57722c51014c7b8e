import type { CardBits, SimulatedReader } from '../../devices/index.js';
import type { ReaderFront } from '../../people/index.js';
import type { LiveSite } from '../live-site.js';

/** A reader with eyes on it: when somebody touched it, and when it showed or sounded something after the last touch. */
export class WatchedReader implements ReaderFront {
  presentedUnixMs = 0;
  completedUnixMs = 0;
  answeredUnixMs: number | undefined;
  readonly stop: () => void;
  #led: SimulatedReader['led'];
  #beepCount: number;

  constructor(
    private readonly reader: SimulatedReader,
    live: LiveSite,
  ) {
    this.#led = reader.led;
    this.#beepCount = reader.beepCount;
    this.stop = live.watch(() => this.#look());
  }

  presentCard(card: CardBits): void {
    this.#touched();
    this.presentedUnixMs = this.completedUnixMs;
    this.reader.presentCard(card);
  }

  pressKeys(keys: string): void {
    this.#touched();
    this.reader.pressKeys(keys);
  }

  #touched(): void {
    this.completedUnixMs = Date.now();
    this.answeredUnixMs = undefined;
    ({ led: this.#led, beepCount: this.#beepCount } = this.reader);
  }

  #look(): void {
    if (this.reader.led === this.#led && this.reader.beepCount === this.#beepCount) return;
    this.answeredUnixMs ??= Date.now();
  }
}
