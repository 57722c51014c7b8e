import type { Stream } from '@libp2p/interface';
import type { Clock, MeshReply } from '@sparc/protocol/ports';
import { FrameStream } from './frame-stream.js';
import type { Pacer } from './pace.js';
import type { SessionLink } from './session-link.js';

/** Requests of one neighbour that are served at a time. */
export const SERVED_AT_ONCE_MAX = 4;
/** One request and what is served on it, a stream each. */
export const RANGE_PROTOCOL = '/sparc/range/1';
/** One request: the ends of all epochs of a log that a neighbour has, or names of parts. */
const REQUEST_BYTES_MAX = 16_384;
/** A neighbour that takes nothing of what it asked for. */
const STALLED_AFTER_MS = 30_000;

/** Never rejects: what goes wrong ends the stream. */
export async function serveRange(
  stream: Stream,
  clock: Clock,
  pacer: Pacer,
  serve: (request: Uint8Array) => Iterable<Uint8Array>,
): Promise<void> {
  const pieces = new FrameStream(stream);
  const stall = () => clock.setTimer(STALLED_AFTER_MS, () => stream.abort(new Error('it takes nothing')));
  let stalled = stall();
  try {
    const request = (await pieces.read(REQUEST_BYTES_MAX)) ?? new Uint8Array();
    await pacer.pay(request.length);
    for (const piece of serve(request)) {
      await pieces.write(piece);
      await pacer.pay(piece.length);
      stalled.cancel();
      stalled = stall();
    }
    await stream.close();
  } catch (error) {
    stream.abort(error instanceof Error ? error : new Error(String(error)));
  } finally {
    stalled.cancel();
  }
}

/** Asks over the link that there is when the first piece is wanted; without one, nothing comes. */
export function askRange(link: () => SessionLink | undefined, request: Uint8Array): MeshReply {
  const abort = new AbortController();
  return {
    cancel: () => abort.abort(),
    [Symbol.asyncIterator]: () => ask(link(), request, abort.signal),
  };
}

async function* ask(
  link: SessionLink | undefined,
  request: Uint8Array,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  if (link === undefined || signal.aborted) return;
  const stream = await link.connection.newStream(RANGE_PROTOCOL, { signal });
  const pieces = new FrameStream(stream, () => link.noteArrival());
  const cancel = () => stream.abort(new Error('no more is wanted'));
  signal.addEventListener('abort', cancel);
  try {
    await pieces.write(request);
    for (let piece = await pieces.read(); piece !== undefined; piece = await pieces.read()) yield piece;
    await stream.close();
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener('abort', cancel);
    if (stream.status === 'open') cancel();
  }
}
