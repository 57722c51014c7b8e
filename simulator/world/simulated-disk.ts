import type { Clock } from '@sparc/protocol/ports';
import type { SeededRandom } from './seeded-random.js';

/** What a disk does wrong, as rates a flush and ranges of milliseconds. */
export interface DiskBehaviour {
  readonly flushMinMs: number;
  readonly flushMaxMs: number;
  /** Share of flushes that take `slowMs` instead. */
  readonly slowRate: number;
  readonly slowMs: number;
  /** Share of flushes that fail; nothing of them becomes durable. */
  readonly failRate: number;
  /** A disk that says it flushed and did not: the seeded defect that checkers must catch. */
  readonly lies: boolean;
}

export const HEALTHY_DISK: DiskBehaviour = {
  flushMinMs: 0.1,
  flushMaxMs: 5,
  slowRate: 0,
  slowMs: 200,
  failRate: 0,
  lies: false,
};

/** `returned`: a write that was refused, and that a crash brought back all the same. */
export const DISK_FAULTS = ['slowFlush', 'failedFlush', 'lostTail', 'keptTail', 'returned'] as const;
export type DiskFault = (typeof DISK_FAULTS)[number];

export interface DurableItem<Item> {
  readonly item: Item;
  /** When it was on the platter for good. */
  readonly atMs: number;
}

/**
 * An append-only file: what was written is in memory until a flush says it is on the platter. A crash keeps everything
 * flushed, and of the rest a part from the front that only chance knows.
 */
export class SimulatedDisk<Item> {
  behaviour: DiskBehaviour = HEALTHY_DISK;
  readonly fired = new Map<DiskFault, number>();
  #durable: DurableItem<Item>[] = [];
  #written: Item[] = [];
  /** Refused and rolled back, with nothing durable after it. */
  #refused: Item[] = [];
  #generation = 0;

  constructor(
    private readonly clock: Clock,
    private readonly random: SeededRandom,
  ) {}

  /** What a reader sees while the machine runs. */
  items(): readonly Item[] {
    return [...this.#durable.map(({ item }) => item), ...this.#written];
  }

  /** What is on the platter whatever happens next, in order. */
  durableItems(): readonly DurableItem<Item>[] {
    return this.#durable;
  }

  write(items: readonly Item[]): void {
    this.#written.push(...items);
  }

  /** Resolves to true when all that was written at the call is durable; to false when the disk refused it. Never resolves across a crash. */
  flush(): Promise<boolean> {
    const generation = this.#generation;
    const count = this.#written.length;
    const { flushMinMs, flushMaxMs, slowRate, slowMs, failRate, lies } = this.behaviour;
    const isSlow = this.random.chance(slowRate);
    const isFailing = this.random.chance(failRate);
    if (isSlow) this.#count('slowFlush');
    return new Promise((resolve) => {
      this.clock.setTimer(isSlow ? slowMs : this.random.between(flushMinMs, flushMaxMs), () => {
        if (generation !== this.#generation) return;
        if (isFailing) this.#count('failedFlush');
        else if (!lies) this.#keep(this.#written.splice(0, count));
        resolve(!isFailing);
      });
    });
  }

  /** Takes back what was written and not flushed, as a rolled back transaction does. */
  discardWritten(): void {
    this.#refused = this.#written;
    this.#written = [];
  }

  /** The machine dies. */
  crash(): void {
    this.#generation += 1;
    const returned = this.#refused.length > 0 && this.random.chance(0.5) ? this.#refused : [];
    const keptCount = this.random.integer(0, this.#written.length);
    if (returned.length > 0) this.#count('returned');
    if (keptCount < this.#written.length) this.#count('lostTail');
    if (keptCount > 0) this.#count('keptTail');
    this.#keep(this.#written.length > 0 ? this.#written.slice(0, keptCount) : returned);
    this.#written = [];
    this.#refused = [];
  }

  /** A backup is copied onto it, or the image of another disk; the machine is off. */
  restore(items: readonly DurableItem<Item>[]): void {
    this.#durable = [...items];
  }

  /** Changes what is on the platter in its place, at once. */
  rewrite(change: (item: Item) => Item): void {
    this.#durable = this.#durable.map(({ item, atMs }) => ({ item: change(item), atMs }));
  }

  #keep(items: readonly Item[]): void {
    const atMs = this.clock.monotonicMs();
    for (const item of items) this.#durable.push({ item, atMs });
    if (items.length > 0) this.#refused = [];
  }

  #count(fault: DiskFault): void {
    this.fired.set(fault, (this.fired.get(fault) ?? 0) + 1);
  }
}
