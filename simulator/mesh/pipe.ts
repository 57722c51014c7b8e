import type { Clock, Timer } from '@sparc/protocol/ports';
import type { SeededRandom } from '../world/index.js';
import type { Path } from './path.js';

/** How long after a repair TCP may take to send again what was lost. */
const RETRANSMISSION_MAX_MS = 1_000;

interface Item {
  readonly sizeBytes: number;
  readonly atMs: number;
  readonly arrive: () => void;
}

/** One direction of a TCP connection: everything arrives once and in order, late where the path is slow or was cut. */
export class Pipe {
  #items: Item[] = [];
  #unsentBytes = 0;
  /** When the sender's line is free, when the last item lands, and before when nothing does. */
  #freeAtMs = 0;
  #lastAtMs = 0;
  #heldUntilMs = 0;
  #timer: Timer | undefined;
  #waitsForRepair = false;
  #closed = false;

  constructor(
    private readonly clock: Clock,
    private readonly random: SeededRandom,
    private readonly path: Path,
  ) {}

  /** Handed over and not arrived yet. */
  get unsentBytes(): number {
    return this.#unsentBytes;
  }

  send(sizeBytes: number, arrive: () => void): void {
    if (this.#closed) return;
    const { latencyMinMs, latencyMaxMs, bytesPerMs } = this.path.condition;
    this.#freeAtMs = Math.max(this.clock.monotonicMs(), this.#freeAtMs) + sizeBytes / bytesPerMs;
    this.#lastAtMs = Math.max(this.#freeAtMs + this.random.between(latencyMinMs, latencyMaxMs), this.#lastAtMs);
    this.#items.push({ sizeBytes, atMs: this.#lastAtMs, arrive });
    this.#unsentBytes += sizeBytes;
    if (this.#items.length === 1) this.#arm();
  }

  /** What is under way is lost, and nothing more is taken. `arrive` tells the other end. */
  close(arrive?: () => void): void {
    this.#items = [];
    this.#unsentBytes = 0;
    if (arrive !== undefined) this.send(0, arrive);
    else this.#timer?.cancel();
    this.#closed = true;
  }

  #arm(): void {
    this.#timer?.cancel();
    const [item] = this.#items;
    if (item === undefined || this.#waitsForRepair) return;
    const atMs = Math.max(item.atMs, this.#heldUntilMs);
    this.#timer = this.clock.setTimer(atMs - this.clock.monotonicMs(), () => this.#land(item));
  }

  #land(item: Item): void {
    if (this.path.isCut) return this.#waitForRepair();
    this.#items.shift();
    this.#unsentBytes -= item.sizeBytes;
    item.arrive();
    this.#arm();
  }

  #waitForRepair(): void {
    this.#waitsForRepair = true;
    this.path.onRepaired(() => {
      this.#waitsForRepair = false;
      this.#heldUntilMs = this.clock.monotonicMs() + this.random.between(0, RETRANSMISSION_MAX_MS);
      this.#arm();
    });
  }
}
