/** Bytes that come in pieces of any length, taken in lengths that the reader chooses. */
export class Pieces {
  readonly #source: Iterator<Uint8Array>;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;

  constructor(source: Iterable<Uint8Array>) {
    this.#source = source[Symbol.iterator]();
  }

  get isAtEnd(): boolean {
    return !this.#fill(1);
  }

  /** Fewer than `length` bytes only at the end. */
  take(length: number): Uint8Array {
    this.#fill(length);
    const taken = new Uint8Array(Math.min(length, this.#waitingBytes));
    for (let at = 0; at < taken.length;) {
      const [piece = new Uint8Array()] = this.#waiting;
      const part = piece.subarray(0, taken.length - at);
      taken.set(part, at);
      at += part.length;
      if (part.length === piece.length) this.#waiting.shift();
      else this.#waiting[0] = piece.subarray(part.length);
    }
    this.#waitingBytes -= taken.length;
    return taken;
  }

  /** Nothing more is taken: the source lets go of its file. */
  close(): void {
    this.#source.return?.();
  }

  #fill(length: number): boolean {
    while (this.#waitingBytes < length) {
      const next = this.#source.next();
      if (next.done === true) return false;
      if (next.value.length > 0) this.#waiting.push(next.value);
      this.#waitingBytes += next.value.length;
    }
    return true;
  }
}
