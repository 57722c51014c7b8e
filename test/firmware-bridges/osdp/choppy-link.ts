import type { ByteLink, ByteLinkHandlers, Clock } from '@sparc/protocol/ports';
import type { SeededRandom } from '@sparc/simulator/world';

const TICK_MS = 16;
const PIECE_SIZE_MAX = 7;

/** An adapter that hands bytes over in small pieces, at its ticks, and where told so hears what it sends. */
export class ChoppyLink implements ByteLink {
  readonly name = 'choppy';
  #freeAtMs = 0;

  constructor(
    private readonly clock: Clock,
    private readonly random: SeededRandom,
    private readonly inner: ByteLink,
    private readonly echoes: boolean,
  ) {}

  get baudRate(): number {
    return this.inner.baudRate;
  }

  get canSetBaudRate(): boolean {
    return this.inner.canSetBaudRate;
  }

  #handlers: ByteLinkHandlers | undefined;

  start(handlers: ByteLinkHandlers): void {
    this.#handlers = handlers;
    this.inner.start({
      onOpen: () => handlers.onOpen(),
      onDown: (error) => handlers.onDown(error),
      onData: (bytes) => this.#deliver(bytes),
    });
  }

  write(bytes: Uint8Array): void {
    this.inner.write(bytes);
    const sent = Uint8Array.from(bytes);
    if (this.echoes) this.clock.setTimer((sent.length * 10_000) / this.baudRate, () => this.#deliver(sent));
  }

  setBaudRate(baudRate: number): Promise<void> {
    return this.inner.setBaudRate(baudRate);
  }

  async stop(): Promise<void> {
    this.#handlers = undefined;
    await this.inner.stop();
  }

  /** In order, whatever the delays. */
  #deliver(bytes: Uint8Array): void {
    const size = this.random.integer(1, PIECE_SIZE_MAX);
    const nowMs = this.clock.monotonicMs();
    this.#freeAtMs = Math.max(this.#freeAtMs, Math.ceil(nowMs / TICK_MS) * TICK_MS);
    if (this.random.chance(0.1)) this.#freeAtMs += TICK_MS;
    const piece = bytes.subarray(0, size);
    this.clock.setTimer(this.#freeAtMs - nowMs, () => this.#handlers?.onData(piece));
    if (bytes.length > size) this.#deliver(bytes.subarray(size));
  }
}
