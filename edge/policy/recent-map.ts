/**
 * Bounded memory of what was used lately. Two halves: when the younger is full it becomes the older, and what nobody
 * used since is forgotten. At most `sizeMax` entries, which is 2 or more.
 */
export class RecentMap<K, V> {
  readonly #halfMax: number;
  #younger = new Map<K, V>();
  #older = new Map<K, V>();

  constructor(sizeMax: number) {
    this.#halfMax = Math.floor(sizeMax / 2);
  }

  get size(): number {
    return this.#younger.size + this.#older.size;
  }

  get(key: K): V | undefined {
    const younger = this.#younger.get(key);
    if (younger !== undefined) return younger;
    const older = this.#older.get(key);
    if (older !== undefined) this.set(key, older);
    return older;
  }

  set(key: K, value: V): void {
    if (this.#younger.size >= this.#halfMax) {
      this.#older = this.#younger;
      this.#younger = new Map();
    }
    this.#younger.set(key, value);
  }
}
