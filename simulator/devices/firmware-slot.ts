import type { PdFileVerdict, PdId } from '@sparc/protocol/osdp';

type Firmware = PdId['firmware'];

/** What every image of this maker begins with. */
const MAGIC = Uint8Array.from('SIMF', (character) => character.charCodeAt(0));
const HEADER_SIZE = MAGIC.length + 4;

/** A firmware image for simulated devices of one model: a header, then filler up to `size` bytes. */
export function firmwareImage(model: number, { major, minor, build }: Firmware, size: number): Uint8Array {
  const image = new Uint8Array(Math.max(size, HEADER_SIZE)).map((_, index) => (31 * index) & 0xff);
  image.set([...MAGIC, model, major, minor, build]);
  return image;
}

/**
 * Where files land in a device. An image of its maker for its model becomes the firmware at the next start; an image for
 * another model is refused; whatever is no image counts as configuration and is kept.
 */
export class FirmwareSlot {
  /** The last file that arrived whole. */
  stored: Uint8Array | undefined;
  #incoming = new Uint8Array(0);
  #next: Firmware | undefined;

  constructor(private readonly model: number) {}

  /** Bytes at their offset; a verdict once the file is whole, or as soon as it is known to be useless. */
  receive(offset: number, data: Uint8Array, totalSize: number, complete: boolean): PdFileVerdict | undefined {
    if (offset === 0) this.#incoming = new Uint8Array(totalSize);
    this.#incoming.set(data, offset);
    if (offset === 0 && isImage(data) && data[MAGIC.length] !== this.model) return 'unrecognised';
    if (!complete) return undefined;
    this.stored = this.#incoming;
    if (!isImage(this.#incoming)) return 'processed';
    const [major = 0, minor = 0, build = 0] = this.#incoming.subarray(MAGIC.length + 1);
    this.#next = { major, minor, build };
    return 'rebooting';
  }

  /** The firmware that the device starts with from now on, if a new one has arrived. */
  takeNext(): Firmware | undefined {
    const next = this.#next;
    this.#next = undefined;
    return next;
  }
}

const isImage = (bytes: Uint8Array) =>
  bytes.length >= HEADER_SIZE && MAGIC.every((byte, index) => bytes[index] === byte);
