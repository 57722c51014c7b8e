import type { CourierItem } from '@sparc/protocol/courier';
import { toHex } from '../platform/index.js';

/** What is in a courier, counted as it goes by. */
export class CourierCount {
  readonly #authors = new Set<string>();
  #entriesCount = 0;
  #partsCount = 0;

  get ledgersCount(): number {
    return this.#authors.size;
  }
  get entriesCount(): number {
    return this.#entriesCount;
  }
  /** Of a policy revision. */
  get partsCount(): number {
    return this.#partsCount;
  }

  *over(items: Iterable<CourierItem>): Generator<CourierItem, void> {
    for (const item of items) {
      this.add(item);
      yield item;
    }
  }

  add(item: CourierItem): void {
    if ('part' in item) {
      this.#partsCount += 1;
      return;
    }
    this.#authors.add(toHex(item.batch.author));
    this.#entriesCount += item.batch.contents.length;
  }
}
