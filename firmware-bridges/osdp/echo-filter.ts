const NOTHING = new Uint8Array(0);

/** Some 2-wire adapters hear what they send: takes exactly that out of what is received, and notes that it came. */
export class EchoFilter {
  /** Set by the first echo: adapters do not change. */
  heard = false;
  #expected = NOTHING;
  /** So many of them have come. A reply differs from its command at the address at the latest. */
  #matchedCount = 0;

  /** These bytes go out. */
  sent(bytes: Uint8Array): void {
    this.#expected = Uint8Array.from(bytes);
    this.#matchedCount = 0;
  }

  /** What is left of the received bytes, with those before them that had only looked like an echo. */
  admit(bytes: Uint8Array): Uint8Array {
    if (this.#expected.length === 0) return bytes;
    const rest = this.#expected.subarray(this.#matchedCount);
    const differsAt = bytes.findIndex((byte, index) => index < rest.length && byte !== rest[index]);
    if (differsAt >= 0) {
      const before = this.#expected.subarray(0, this.#matchedCount);
      this.#expected = NOTHING;
      return Uint8Array.of(...before, ...bytes);
    }
    this.#matchedCount += Math.min(bytes.length, rest.length);
    if (this.#matchedCount < this.#expected.length) return NOTHING;
    this.heard = true;
    this.#expected = NOTHING;
    return bytes.subarray(rest.length);
  }
}
