import { nodeCrypto } from '../platform/index.js';

/** Each grows by itself: to copy all keys of a large table at once would hold up everybody else for a while. */
const SHARDS_COUNT = 64;
const SLOTS_AT_FIRST = 16;
/** Two of the hash of a key, and the line. */
const SLOT_WORDS = 3;

/**
 * The line at which each key of a table came first. Of a key 70 bits of its SHA-256 are kept, outside of the heap, in 16 to 32
 * bytes: the texts themselves take several times that, and each collection of garbage looks at all of them. That two of three
 * million keys are taken for one has a chance of one in 10⁸.
 */
export class FirstLines {
  readonly #shards = Array.from({ length: SHARDS_COUNT }, () => new Shard());

  /** Undefined where it has not come yet. */
  of(key: string): number | undefined {
    const { shard, high, low } = this.#placeOf(key);
    return shard.lineOf(high, low);
  }

  /** Keeps `line`, from 1, of a key that has not come yet; the line of any other stays. */
  add(key: string, line: number): void {
    const { shard, high, low } = this.#placeOf(key);
    shard.add(high, low, line);
  }

  #placeOf(key: string): { readonly shard: Shard; readonly high: number; readonly low: number } {
    const { buffer, byteOffset } = nodeCrypto.sha256(Buffer.from(key));
    const hash = new DataView(buffer, byteOffset);
    const shard = this.#shards[hash.getUint8(8) % SHARDS_COUNT] as Shard;
    return { shard, high: hash.getUint32(0), low: hash.getUint32(4) };
  }
}

/** A hash table with open addressing, at most three quarters full; a slot without a line is free. */
class Shard {
  #words = new Uint32Array(SLOTS_AT_FIRST * SLOT_WORDS);
  #keysCount = 0;

  lineOf(high: number, low: number): number | undefined {
    const line = this.#words[this.#find(high, low) + 2];
    return line === 0 ? undefined : line;
  }

  add(high: number, low: number, line: number): void {
    const at = this.#find(high, low);
    if (this.#words[at + 2] !== 0) return;
    this.#words.set([high, low, line], at);
    this.#keysCount += 1;
    if (4 * this.#keysCount > 3 * (this.#words.length / SLOT_WORDS)) this.#grow();
  }

  /** The index of its slot, or of the free one that it is to have. */
  #find(high: number, low: number): number {
    const words = this.#words;
    const last = words.length / SLOT_WORDS - 1;
    let slot = low & last;
    for (;;) {
      const at = slot * SLOT_WORDS;
      if (words[at + 2] === 0 || (words[at] === high && words[at + 1] === low)) return at;
      slot = (slot + 1) & last;
    }
  }

  #grow(): void {
    const old = this.#words;
    this.#words = new Uint32Array(2 * old.length);
    for (let at = 0; at < old.length; at += SLOT_WORDS) {
      const [high = 0, low = 0, line = 0] = old.subarray(at, at + SLOT_WORDS);
      if (line !== 0) this.#words.set([high, low, line], this.#find(high, low));
    }
  }
}
