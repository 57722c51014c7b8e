import { Transform, type TransformCallback } from 'node:stream';

/**
 * Passes MQTT packets of at most `packetBytesMax` bytes and fails at the first byte of a longer one, so that nobody can make
 * the broker keep one. Of a packet it reads only type and length (MQTT 3.1.1, 2.2).
 */
export class PacketGate extends Transform {
  /** Bytes of the present packet that are still to come. */
  #restBytes = 0;
  /** Bytes of its length that were read, and what they come to; undefined: its type comes next. */
  #length: { readonly digits: number; readonly value: number } | undefined;

  constructor(private readonly packetBytesMax: number) {
    super();
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    for (let at = 0; at < chunk.length;) {
      if (this.#restBytes > 0) {
        const taken = Math.min(this.#restBytes, chunk.length - at);
        this.#restBytes -= taken;
        at += taken;
      } else if (!this.#readHeader(chunk[at++] ?? 0)) {
        done(new RangeError(`a packet of more than ${this.packetBytesMax} bytes`));
        return;
      }
    }
    done(null, chunk);
  }

  /** One byte of type or length. False for what is too long. */
  #readHeader(byte: number): boolean {
    if (this.#length === undefined) {
      this.#length = { digits: 0, value: 0 };
      return true;
    }
    const { digits, value } = this.#length;
    const next = value + (byte & 0x7f) * 128 ** digits;
    if (next > this.packetBytesMax || digits > 3) return false;
    if ((byte & 0x80) !== 0) {
      this.#length = { digits: digits + 1, value: next };
    } else {
      this.#length = undefined;
      this.#restBytes = next;
    }
    return true;
  }
}
