import { crcAfter, crcOfStretch } from './crc.js';
import { checkLength, checkOf } from './frame.js';

/**
 * The checks of all beginnings of a run of bytes, from which that of any stretch follows at a fixed cost: however many
 * false starts somebody puts on the line, and in however small pieces, looking for frames takes a time that grows with
 * the bytes alone. Never changed in place.
 */
export class RunningCheck {
  static readonly EMPTY = new RunningCheck(new Uint8Array(0), Uint16Array.of(0), Uint8Array.of(0));

  private constructor(
    readonly bytes: Uint8Array,
    /** Before each byte and after the last, from any register at all. */
    private readonly crcs: Uint16Array,
    private readonly sums: Uint8Array,
  ) {}

  /** These bytes and then more. */
  followedBy(more: Uint8Array): RunningCheck {
    const before = this.bytes.length;
    const bytes = new Uint8Array(before + more.length);
    bytes.set(this.bytes);
    bytes.set(more, before);
    const crcs = new Uint16Array(bytes.length + 1);
    crcs.set(this.crcs);
    const sums = new Uint8Array(bytes.length + 1);
    sums.set(this.sums);
    for (let index = before; index < bytes.length; index += 1) {
      const byte = bytes[index] ?? 0;
      crcs[index + 1] = crcAfter(crcs[index] ?? 0, byte);
      sums[index + 1] = (sums[index] ?? 0) + byte;
    }
    return new RunningCheck(bytes, crcs, sums);
  }

  /** Without the first `count` bytes. */
  without(count: number): RunningCheck {
    if (count === 0) return this;
    return new RunningCheck(this.bytes.subarray(count), this.crcs.subarray(count), this.sums.subarray(count));
  }

  /** True where the frame of `length` bytes that begins at `start` ends in the right check. */
  isRight(start: number, length: number): boolean {
    const { bytes, crcs, sums } = this;
    const check = checkOf(bytes[start + 4] ?? 0);
    // All bytes of a frame with a checksum sum to 0.
    if (check === 'checksum') return sums[start] === sums[start + length];
    const end = start + length - checkLength(check);
    const crc = crcOfStretch(crcs[start] ?? 0, crcs[end] ?? 0, end - start);
    return crc === (bytes[end] ?? 0) + 256 * (bytes[end + 1] ?? 0);
  }
}
