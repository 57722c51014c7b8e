import { finished, Transform, type Readable, type TransformCallback } from 'node:stream';
import { SparcError } from '@sparc/protocol/errors';
import type { Clock, Timer } from '@sparc/protocol/ports';

/** Of a body so many bytes have to come in this time, or its end: a slow line brings a large one, and nobody keeps a connection for nothing. */
export const BODY_PACE_BYTES = 1_048_576;
export const BODY_PACE_MS = 30_000;

/** The body of a request; it fails with ERR_API_BODY_SLOW where it comes more slowly. */
export class PacedBody extends Transform {
  #timer: Timer | undefined;
  #dueBytes = BODY_PACE_BYTES;

  constructor(
    private readonly clock: Clock,
    body: Readable,
  ) {
    super();
    // Of a request that is refused nobody reads it.
    this.on('error', () => undefined);
    finished(body, (error) => {
      if (error) this.destroy(slow('it ended in the middle of its body'));
    });
    body.pipe(this);
    this.#wait();
  }

  override _transform(chunk: Uint8Array, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#dueBytes -= chunk.length;
    if (this.#dueBytes <= 0) this.#wait();
    done(null, chunk);
  }

  override _flush(done: TransformCallback): void {
    this.#timer?.cancel();
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#timer?.cancel();
    done(error);
  }

  #wait(): void {
    this.#timer?.cancel();
    this.#dueBytes = BODY_PACE_BYTES;
    this.#timer = this.clock.setTimer(BODY_PACE_MS, () => {
      this.destroy(slow(`of its body came less than ${BODY_PACE_BYTES} bytes within ${BODY_PACE_MS / 1_000} s`));
    });
  }
}

const slow = (why: string) => new SparcError('ERR_API_BODY_SLOW', why);
