import type { Stream } from '@libp2p/interface';
import { malformed } from '@sparc/protocol/ledger';

/** A message or a batch, and a little more. */
export const FRAME_BYTES_MAX = 1_114_112;
/** One whole frame and what came with it; then the other end is held up. */
const UNREAD_BYTES_MAX = FRAME_BYTES_MAX + 65_536;
/** Before a frame: its length, big-endian. */
const LENGTH_BYTES = 4;

/**
 * Frames over a stream of libp2p, read and written at the pace of the slower end. (libp2p's own `lpStream` breaks the stream
 * off when nobody reads, lets writes pile up behind a full window, and looks for the end of a length without limit.)
 */
export class FrameStream {
  #chunks: Uint8Array[] = [];
  #unreadBytes = 0;
  #expectedBytes: number | undefined;
  #failure: Error | undefined;
  #onChange: (() => void)[] = [];

  constructor(private readonly stream: Stream) {
    stream.addEventListener('message', ({ data }) => {
      this.#chunks.push(data.subarray());
      this.#unreadBytes += data.byteLength;
      // Not at once: a stream that is paused while it is being resumed goes on to ask for more.
      queueMicrotask(() => this.#holdUp());
      this.#changed();
    });
    stream.addEventListener('close', ({ error }) => {
      this.#failure = error;
      this.#changed();
    });
    stream.addEventListener('remoteCloseWrite', () => this.#changed());
    stream.addEventListener('drain', () => this.#changed());
  }

  /**
   * The next frame; undefined when the other end has said all. Throws ERR_LEDGER_MALFORMED for a frame that is too long, and
   * when the stream breaks off. One reader at a time.
   */
  async read(): Promise<Uint8Array | undefined> {
    for (;;) {
      const frame = this.#next();
      if (frame !== undefined) return frame;
      const { status, remoteWriteStatus, readBufferLength } = this.stream;
      if (status === 'reset' || status === 'aborted') throw this.#failure ?? new Error('the stream broke off');
      if (status === 'closed' || (remoteWriteStatus === 'closed' && readBufferLength === 0)) {
        if (this.#unreadBytes === 0 && this.#expectedBytes === undefined) return undefined;
        throw new Error('the stream ends within a frame');
      }
      await this.#change();
    }
  }

  /** Resolves when there is room for another one. Throws when the stream breaks off. */
  async write(frame: Uint8Array): Promise<void> {
    const bytes = new Uint8Array(LENGTH_BYTES + frame.length);
    new DataView(bytes.buffer).setUint32(0, frame.length);
    bytes.set(frame, LENGTH_BYTES);
    this.stream.send(bytes);
    while (this.stream.writableNeedsDrain) {
      if (this.stream.writeStatus === 'closed') throw this.#failure ?? new Error('the stream is closed');
      await this.#change();
    }
  }

  #holdUp(): void {
    if (this.#unreadBytes > UNREAD_BYTES_MAX && this.stream.readStatus === 'readable') this.stream.pause();
  }

  #next(): Uint8Array | undefined {
    if (this.#expectedBytes === undefined) {
      if (this.#unreadBytes < LENGTH_BYTES) return undefined;
      const head = this.#take(LENGTH_BYTES);
      const length = new DataView(head.buffer, head.byteOffset).getUint32(0);
      if (length > FRAME_BYTES_MAX) throw malformed(`a frame of ${length} bytes`);
      this.#expectedBytes = length;
    }
    if (this.#unreadBytes < this.#expectedBytes) return undefined;
    const frame = this.#take(this.#expectedBytes);
    this.#expectedBytes = undefined;
    if (this.#unreadBytes <= UNREAD_BYTES_MAX && this.stream.readStatus === 'paused') this.stream.resume();
    return frame;
  }

  #take(length: number): Uint8Array {
    this.#unreadBytes -= length;
    const [first] = this.#chunks;
    if (first !== undefined && first.length > length) {
      this.#chunks[0] = first.subarray(length);
      return first.subarray(0, length);
    }
    const taken = new Uint8Array(length);
    let filled = 0;
    while (filled < length) {
      const chunk = this.#chunks[0] ?? new Uint8Array();
      const part = chunk.subarray(0, length - filled);
      taken.set(part, filled);
      filled += part.length;
      if (part.length === chunk.length) this.#chunks.shift();
      else this.#chunks[0] = chunk.subarray(part.length);
    }
    return taken;
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#onChange.push(resolve));
  }

  #changed(): void {
    for (const resolve of this.#onChange.splice(0)) resolve();
  }
}
