import { CodecError } from './codec-error.js';

/** Reads a payload front to back and never past its end. */
export class ByteReader {
  #offset = 0;

  constructor(readonly bytes: Uint8Array) {}

  get remaining(): number {
    return this.bytes.length - this.#offset;
  }

  take(length: number): Uint8Array {
    if (length > this.remaining) {
      throw new CodecError('ERR_OSDP_LENGTH', `payload ends ${length - this.remaining} bytes early`);
    }
    const start = this.#offset;
    this.#offset += length;
    return this.bytes.slice(start, this.#offset);
  }

  /** An unsigned little-endian integer of 1 to 4 bytes. */
  takeUint(size: number): number {
    return this.take(size).reduceRight((value, byte) => value * 256 + byte, 0);
  }
}

/** Collects the bytes of a payload. */
export class ByteWriter {
  readonly #bytes: number[] = [];

  put(bytes: Iterable<number>): void {
    for (const byte of bytes) this.#bytes.push(byte);
  }

  putUint(value: number, size: number): void {
    for (let index = 0, rest = value; index < size; index += 1) {
      this.#bytes.push(rest % 256);
      rest = Math.floor(rest / 256);
    }
  }

  finish(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}
