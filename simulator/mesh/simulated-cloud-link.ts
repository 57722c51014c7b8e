import type { Carrier, Down, Up } from '@sparc/protocol/cloud-link';
import type { Clock, CloudLink, CloudLinkHandlers, Timer } from '@sparc/protocol/ports';
import type { SeededRandom } from '../world/index.js';
import type { Way } from './way.js';

/** From a call to its answer, and from one that failed to the next. */
const CALL_MS = { min: 20, max: 300 };
const CALL_PAUSE_MS = { min: 500, max: 4_000 };
/** A link over which nothing can come for so long is given up by both ends. */
const SILENCE_MAX_MS = 10_000;
const LOOK_MS = 2_500;

/** Between a machine and the broker. */
export interface Ways {
  readonly up: Way;
  readonly down: Way;
}

/** What the broker has to do with a link. */
export interface BrokerEnd {
  /** False where it does not answer. */
  admit(link: SimulatedCloudLink): boolean;
  heard(carrier: Carrier, what: Up, body: Uint8Array): void;
}

/** The way to the cloud, as the program on one machine has it. */
export class SimulatedCloudLink implements CloudLink {
  #handlers: CloudLinkHandlers | undefined;
  #isOpen = false;
  /** Rises with each that was open: what was said to one is not heard by the next. */
  #opened = 0;
  #timer: Timer | undefined;

  /** Made by `SimulatedBroker.link`. */
  constructor(
    private readonly clock: Clock,
    private readonly random: SeededRandom,
    private readonly broker: BrokerEnd,
    private readonly ways: Ways,
    readonly carrier: Carrier,
  ) {}

  start(handlers: CloudLinkHandlers): void {
    this.#handlers = handlers;
    this.#call();
  }

  send(what: Up, body: Uint8Array): void {
    if (this.#isOpen) this.ways.up.send(() => this.broker.heard(this.carrier, what, body));
  }

  async stop(): Promise<void> {
    this.die();
  }

  /** Nobody is told, and no handler runs again. */
  die(): void {
    this.#handlers = undefined;
    this.#isOpen = false;
    this.#timer?.cancel();
  }

  /** By the broker. */
  hear(what: Down, body: Uint8Array): void {
    const opened = this.#opened;
    this.ways.down.send(() => {
      if (this.#isOpen && opened === this.#opened) this.#handlers?.onMessage(what, body);
    });
  }

  /** The broker ends it, or nobody answers. */
  end(why: string): void {
    if (this.#handlers === undefined) return;
    this.#isOpen = false;
    this.#after(CALL_PAUSE_MS, () => this.#call());
    this.#handlers.onDisconnected(why);
  }

  #call(): void {
    this.#after(CALL_MS, () => {
      if (!this.#isWhole(0) || !this.broker.admit(this)) return this.end('nobody answers');
      this.#isOpen = true;
      this.#opened += 1;
      this.#look();
      this.#handlers?.onConnected();
    });
  }

  #look(): void {
    this.#timer = this.clock.setTimer(LOOK_MS, () => {
      if (this.#isWhole(SILENCE_MAX_MS)) this.#look();
      else this.end('it is silent');
    });
  }

  /** Neither way has been cut for longer. */
  #isWhole(cutMaxMs: number): boolean {
    const cutAtMs = Math.min(this.ways.up.cutAtMs, this.ways.down.cutAtMs);
    return this.clock.monotonicMs() - cutAtMs < cutMaxMs || cutAtMs === Infinity;
  }

  #after({ min, max }: { readonly min: number; readonly max: number }, then: () => void): void {
    this.#timer?.cancel();
    this.#timer = this.clock.setTimer(this.random.between(min, max), then);
  }
}
