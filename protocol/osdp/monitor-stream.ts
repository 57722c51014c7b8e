import { MARK } from './frame.js';
import { EMPTY_PARSER, parseBytes, parseSilence, type Parsed, type ParserState } from './frame-parser.js';
import type { MonitorNoise } from './monitor-types.js';

/** What was heard of one stream of bytes and is not told yet. */
export interface HeardStream {
  readonly parser: ParserState;
  /** Bytes since the last frame that belong to none. */
  readonly noise: Uint8Array;
  /** Of the parser, when noise was told last. */
  readonly toldCounts: ParserState['counts'];
}

export const SILENT_STREAM: HeardStream = {
  parser: EMPTY_PARSER,
  noise: new Uint8Array(0),
  toldCounts: EMPTY_PARSER.counts,
};

/** A whole frame, or bytes that are none. */
export type Heard = { readonly kind: 'whole'; readonly atMs: number; readonly bytes: Uint8Array } | MonitorNoise;

export interface HeardMore {
  readonly stream: HeardStream;
  readonly heard: readonly Heard[];
}

/** Noise is told in one piece up to this many bytes. */
const NOISE_LENGTH_MAX = 256;

/** Finds frames, and the noise between them, in the order in which they came. Empty `bytes`: time has passed. */
export function hearBytes(stream: HeardStream, bytes: Uint8Array, atMs: number, timeoutMs: number): HeardMore {
  const isGap = atMs - stream.parser.lastByteMs > timeoutMs;
  const before = isGap ? hearSilence(stream) : { stream, heard: [] };
  if (bytes.length === 0) return before;
  const { parser } = before.stream;
  const after = sorted(before.stream, parser.held.bytes, bytes, parseBytes(parser, bytes, atMs, timeoutMs), atMs);
  const tooLong = after.stream.noise.length > NOISE_LENGTH_MAX ? told(after.stream, atMs) : { ...after, heard: [] };
  return { stream: tooLong.stream, heard: [...before.heard, ...after.heard, ...tooLong.heard] };
}

function hearSilence(stream: HeardStream): HeardMore {
  const { parser } = stream;
  const atMs = parser.lastByteMs;
  const after = sorted(stream, parser.held.bytes, new Uint8Array(0), parseSilence(parser), atMs);
  const last = told(after.stream, atMs);
  return { stream: last.stream, heard: [...after.heard, ...last.heard] };
}

/** Frames are slices of what was there, in order; whatever lies between them and before what is still held is noise. */
function sorted(before: HeardStream, held: Uint8Array, bytes: Uint8Array, parsed: Parsed, atMs: number): HeardMore {
  const all = joined(held, bytes);
  const heard: Heard[] = [];
  let stream: HeardStream = { ...before, parser: parsed.state };
  let offset = 0;
  for (const frame of parsed.frames) {
    const start = indexOf(all, frame, offset);
    const noise = told({ ...stream, noise: joined(stream.noise, all.subarray(offset, start)) }, atMs);
    stream = noise.stream;
    heard.push(...noise.heard, { kind: 'whole', atMs, bytes: frame });
    offset = start + frame.length;
  }
  const end = all.length - parsed.state.held.bytes.length;
  return { stream: { ...stream, noise: joined(stream.noise, all.subarray(offset, end)) }, heard };
}

/** Marks (0xFF) alone are no noise: they precede frames, and an idle line may look like them. */
function told(stream: HeardStream, atMs: number): HeardMore {
  const { parser, noise, toldCounts } = stream;
  const first = noise.findIndex((byte) => byte !== MARK);
  const silent: HeardStream = { parser, noise: new Uint8Array(0), toldCounts: parser.counts };
  if (first < 0) return { stream: silent, heard: [] };
  const bytes = noise.slice(first, noise.findLastIndex((byte) => byte !== MARK) + 1);
  const damage =
    parser.counts.badChecks > toldCounts.badChecks
      ? 'badCheck'
      : parser.counts.cutShort > toldCounts.cutShort
        ? 'cutShort'
        : 'stray';
  return { stream: silent, heard: [noiseOf(bytes, damage, atMs)] };
}

const DAMAGES: Readonly<Record<MonitorNoise['damage'], string>> = {
  badCheck: 'a frame with a wrong check',
  cutShort: 'a frame that was cut short',
  malformed: 'a frame with a right check that no version of OSDP sends',
  stray: 'no frame',
};

export const noiseOf = (bytes: Uint8Array, damage: MonitorNoise['damage'], atMs: number): MonitorNoise => ({
  kind: 'noise',
  atMs,
  bytes,
  damage,
  text: `${bytes.length} bytes: ${DAMAGES[damage]}`,
});

function indexOf(all: Uint8Array, part: Uint8Array, from: number): number {
  const fits = (start: number) => part.every((byte, index) => all[start + index] === byte);
  let start = from;
  while (!fits(start)) start += 1;
  return start;
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(first.length + second.length);
  bytes.set(first);
  bytes.set(second, first.length);
  return bytes;
}
