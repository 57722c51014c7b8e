const FIRST_BYTES = 4_096;
/** Kept for what comes next, when all is taken. */
const KEPT_BYTES_MAX = 65_536;

/**
 * Bytes that arrived and wait to be taken. Each is copied once as it arrives, and seldom again when room is made, so that many
 * small pieces cost no more than a large one.
 */
export class UnreadBytes {
  #bytes = new Uint8Array(FIRST_BYTES);
  #start = 0;
  #end = 0;

  get length(): number {
    return this.#end - this.#start;
  }

  add(piece: Uint8Array): void {
    if (this.#end + piece.length > this.#bytes.length) this.#makeRoom(piece.length);
    this.#bytes.set(piece, this.#end);
    this.#end += piece.length;
  }

  /** The next ones, `length` of them, which have to be there. */
  take(length: number): Uint8Array {
    const taken = this.#bytes.slice(this.#start, this.#start + length);
    this.#start += length;
    if (this.length === 0) this.#empty();
    return taken;
  }

  #empty(): void {
    this.#start = 0;
    this.#end = 0;
    if (this.#bytes.length > KEPT_BYTES_MAX) this.#bytes = new Uint8Array(FIRST_BYTES);
  }

  /** At least half of what there is then is free, so that the next time is far off. */
  #makeRoom(forBytes: number): void {
    const unread = this.#bytes.subarray(this.#start, this.#end);
    const needed = 2 * (unread.length + forBytes);
    const bytes = needed > this.#bytes.length ? new Uint8Array(needed) : this.#bytes;
    bytes.set(unread);
    this.#bytes = bytes;
    this.#end = unread.length;
    this.#start = 0;
  }
}
