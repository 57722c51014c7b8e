import type { Stream } from '@libp2p/interface';
import { malformed } from '@sparc/protocol/ledger';
import { UnreadBytes } from './unread-bytes.js';

/** A message or a batch, and a little more. */
export const FRAME_BYTES_MAX = 1_114_112;
/** Unread beyond the frame that is waited for; then the other end is held up. */
const AHEAD_BYTES_MAX = 65_536;
/** Handed to libp2p at a time, so that on a slow link something arrives every now and then, and others have their turn. */
const SLICE_BYTES = 16_384;
/** Before a frame: its length, big-endian. */
const LENGTH_BYTES = 4;

/**
 * Frames over a stream of libp2p, read and written at the pace of the slower end. (libp2p's own `lpStream` breaks the stream
 * off when nobody reads, lets writes pile up behind a full window, and looks for the end of a length without limit.)
 */
export class FrameStream {
  readonly #unread = new UnreadBytes();
  #expectedBytes: number | undefined;
  /** Of the frame that is waited for. */
  #frameBytesMax = 0;
  #failure: Error | undefined;
  #onChange: (() => void)[] = [];
  #lastWrite: Promise<void> = Promise.resolve();

  /** `onArrival`: something came, be it a part of a frame. */
  constructor(
    private readonly stream: Stream,
    onArrival: () => void = () => undefined,
  ) {
    stream.addEventListener('message', ({ data }) => {
      this.#unread.add(data.subarray());
      // Not at once: a stream that is paused while it is being resumed goes on to ask for more.
      queueMicrotask(() => this.#regulate());
      onArrival();
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
   * The next frame; undefined when the other end has said all. Throws ERR_LEDGER_MALFORMED for a frame of more than `bytesMax`,
   * and when the stream breaks off. One reader at a time.
   */
  async read(bytesMax = FRAME_BYTES_MAX): Promise<Uint8Array | undefined> {
    this.#frameBytesMax = bytesMax;
    for (;;) {
      const frame = this.#next();
      this.#regulate();
      if (frame !== undefined) return frame;
      const { status, remoteWriteStatus, readBufferLength } = this.stream;
      if (status === 'reset' || status === 'aborted') throw this.#failure ?? new Error('the stream broke off');
      if (status === 'closed' || (remoteWriteStatus === 'closed' && readBufferLength === 0)) {
        if (this.#unread.length === 0 && this.#expectedBytes === undefined) return undefined;
        throw new Error('the stream ends within a frame');
      }
      await this.#change();
    }
  }

  /** Resolves when there is room for another one. Throws when the stream breaks off. */
  write(frame: Uint8Array): Promise<void> {
    const bytes = new Uint8Array(LENGTH_BYTES + frame.length);
    new DataView(bytes.buffer).setUint32(0, frame.length);
    bytes.set(frame, LENGTH_BYTES);
    this.#lastWrite = this.#lastWrite.then(() => this.#writeSlices(bytes));
    return this.#lastWrite;
  }

  async #writeSlices(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; at += SLICE_BYTES) {
      this.stream.send(bytes.subarray(at, at + SLICE_BYTES));
      while (this.stream.writableNeedsDrain) {
        if (this.stream.writeStatus === 'closed') throw this.#failure ?? new Error('the stream is closed');
        await this.#change();
      }
    }
  }

  #next(): Uint8Array | undefined {
    if (this.#expectedBytes === undefined) {
      if (this.#unread.length < LENGTH_BYTES) return undefined;
      const length = new DataView(this.#unread.take(LENGTH_BYTES).buffer).getUint32(0);
      if (length > this.#frameBytesMax) throw malformed(`a frame of ${length} bytes`);
      this.#expectedBytes = length;
    }
    if (this.#unread.length < this.#expectedBytes) return undefined;
    const frame = this.#unread.take(this.#expectedBytes);
    this.#expectedBytes = undefined;
    return frame;
  }

  #regulate(): void {
    const isFull = this.#unread.length > this.#frameBytesMax + AHEAD_BYTES_MAX;
    const { readStatus } = this.stream;
    if (isFull && readStatus === 'readable') this.stream.pause();
    if (!isFull && readStatus === 'paused') this.stream.resume();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#onChange.push(resolve));
  }

  #changed(): void {
    for (const resolve of this.#onChange.splice(0)) resolve();
  }
}
