import { CodecError } from './codec-error.js';
import type { Fragment } from './multipart-codecs.js';
import { FRAME_LENGTH_MAX } from './frame.js';

/** Bytes of the header of a fragment: total, offset and size. */
export const FRAGMENT_HEADER_SIZE = 6;
/** Longest multi-part message that is put together: no object of a PIV card is longer than 12,710 bytes. */
export const COMBINED_SIZE_MAX = 16_384;
/** A message whose next fragment does not come within so long is dropped (SIA OSDP v2.2, "Timing"). */
const FRAGMENT_PAUSE_MAX_MS = 8_000;

/** SOM, address, length, control, code and CRC. */
const CLEAR_OVERHEAD = 8;
/** The same, with security block and MAC. */
const SECURE_OVERHEAD = 14;
const BLOCK_SIZE = 16;

/**
 * The longest payload of a frame of at most `frameSizeMax` bytes. Under Secure Channel it is one less than whole blocks, so
 * that its padding is a single byte.
 */
export function payloadSizeMax(frameSizeMax: number, secure: boolean): number {
  const size = Math.min(frameSizeMax, FRAME_LENGTH_MAX);
  if (!secure) return size - CLEAR_OVERHEAD;
  return Math.floor((size - SECURE_OVERHEAD) / BLOCK_SIZE) * BLOCK_SIZE - 1;
}

/** Cuts a message into fragments, in order. An empty message is one empty fragment. @throws CodecError above 65,535 bytes. */
export function splitMessage(data: Uint8Array, fragmentSizeMax: number): readonly Fragment[] {
  if (data.length > 0xffff) throw new CodecError('ERR_OSDP_VALUE', 'a multi-part message has at most 65535 bytes');
  if (fragmentSizeMax < 1) throw new CodecError('ERR_OSDP_VALUE', 'a fragment has at least one byte');
  const count = Math.max(1, Math.ceil(data.length / fragmentSizeMax));
  return Array.from({ length: count }, (_, index) => {
    const offset = index * fragmentSizeMax;
    return { totalSize: data.length, offset, data: data.slice(offset, offset + fragmentSizeMax) };
  });
}

/** A message of which the first part is there. */
export interface Assembly {
  readonly totalSize: number;
  readonly data: Uint8Array;
  readonly heardMs: number;
}

export type AssemblyResult =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'complete'; readonly data: Uint8Array }
  /** Its sender gave it up. */
  | { readonly kind: 'aborted' }
  /** Out of order, too long, or too late. What was there is dropped. */
  | { readonly kind: 'refused'; readonly error: CodecError };

interface Assembled {
  readonly state: Assembly | undefined;
  readonly result: AssemblyResult;
}

/**
 * Takes the next fragment: in order, without gap or overlap, within 8 s of the one before. Offset 0 begins a message, whatever
 * was there; an empty fragment at or behind the end gives it up (SIA OSDP v2.2, "Multi-Part Messages").
 */
export function assemble(
  state: Assembly | undefined,
  { totalSize, offset, data }: Fragment,
  nowMs: number,
  sizeMax = COMBINED_SIZE_MAX,
): Assembled {
  if (data.length === 0 && totalSize > 0) {
    return offset >= totalSize ? ended({ kind: 'aborted' }) : refused('a fragment in the middle is empty');
  }
  if (totalSize > sizeMax) return refused(`a message of ${totalSize} bytes is longer than ${sizeMax}`);
  if (offset + data.length > totalSize) return refused('a fragment goes beyond the end of its message');
  const before = offset === 0 ? { totalSize, data: data.subarray(0, 0), heardMs: nowMs } : state;
  if (before === undefined || nowMs - before.heardMs > FRAGMENT_PAUSE_MAX_MS) {
    return refused('the beginning of the message is missing');
  }
  if (before.totalSize !== totalSize || before.data.length !== offset) {
    return refused(`the fragment at ${offset} of ${totalSize} does not follow ${before.data.length} bytes`);
  }
  const joined = new Uint8Array(offset + data.length);
  joined.set(before.data);
  joined.set(data, offset);
  if (joined.length === totalSize) return ended({ kind: 'complete', data: joined });
  return { state: { totalSize, data: joined, heardMs: nowMs }, result: { kind: 'waiting' } };
}

const ended = (result: AssemblyResult): Assembled => ({ state: undefined, result });

const refused = (reason: string): Assembled =>
  ended({ kind: 'refused', error: new CodecError('ERR_OSDP_VALUE', reason) });
