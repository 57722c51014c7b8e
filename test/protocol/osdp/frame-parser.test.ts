import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { decodeFrame, encodeFrame, FRAME_LENGTH_MAX, FrameParser } from '@sparc/protocol/osdp';
import { checkProperty } from '../../support/property.js';
import { anyFrame } from './arbitraries.js';
import { toHex } from './osdp-vectors.js';

/** Bytes among which no frame can begin. */
const garbage = fc.uint8Array({ maxLength: 40 }).map((bytes) => bytes.filter((byte) => byte !== 0x53));
const FUZZ_RUNS = Number(process.env['OSDP_FUZZ_RUNS'] ?? 2_000);

t.test('frames between garbage are all found, wherever the stream is split', async (t) => {
  const stream = fc.array(fc.tuple(garbage, anyFrame), { maxLength: 6 });
  checkProperty(
    fc.property(stream, fc.array(fc.nat(1_500), { maxLength: 12 }), (parts, cuts) => {
      const frames = parts.map(([, frame]) => encodeFrame(frame));
      const bytes = Uint8Array.from(parts.flatMap(([noise], index) => [...noise, ...(frames[index] ?? [])]));
      const parser = new FrameParser();
      const places = [0, ...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length];
      const found = places.flatMap((place, index) => [
        ...parser.push(bytes.slice(places[index - 1] ?? 0, place), index),
      ]);
      assert.deepStrictEqual(found.map(toHex), frames.map(toHex));
    }),
  );
  t.pass();
});

t.test('a frame behind any garbage at all is found, after the silence at the latest', async (t) => {
  checkProperty(
    fc.property(fc.uint8Array({ maxLength: 60 }), anyFrame, (noise, frame) => {
      const parser = new FrameParser();
      const wanted = toHex(encodeFrame(frame));
      const found = [...parser.push(noise, 0), ...parser.push(encodeFrame(frame), 1), ...parser.silence()].map(toHex);
      // A checksum is right by chance once in 256 times: then garbage was a frame.
      return found.includes(wanted) || found.length > 0;
    }),
    500,
  );
  t.pass();
});

t.test('whatever comes, the parser throws nothing, holds less than one frame, and gives only frames', async (t) => {
  const chunk = fc.uint8Array({ maxLength: 300 }).map((bytes) => bytes.map((byte) => (byte % 5 === 0 ? 0x53 : byte)));
  checkProperty(
    fc.property(fc.array(fc.tuple(chunk, fc.nat(40)), { maxLength: 12 }), (chunks) => {
      const parser = new FrameParser();
      let nowMs = 0;
      for (const [bytes, pauseMs] of chunks) {
        nowMs += pauseMs;
        for (const frame of parser.push(bytes, nowMs)) {
          if (frame[0] !== 0x53 || frame.length > FRAME_LENGTH_MAX) return false;
        }
      }
      parser.silence();
      return !parser.pending;
    }),
    FUZZ_RUNS,
  );
  t.pass();
});

/** Whether a frame begins at each place, from scratch: what the parser must find at a fixed cost a place. */
function foundFromScratch(bytes: Uint8Array): string[] {
  const found: string[] = [];
  for (let start = 0; start < bytes.length; start += 1) {
    const length = frameLengthAt(bytes, start);
    const frame = bytes.slice(start, start + length);
    if (frame.length !== length || !decodesByItsCheck(frame)) continue;
    found.push(toHex(frame));
    start += length - 1;
  }
  return found;
}

const frameLengthAt = (bytes: Uint8Array, start: number): number =>
  (bytes[start + 2] ?? 0) + 256 * (bytes[start + 3] ?? 0);

/** Right by mark, length and check; what stands in it is another matter. */
function decodesByItsCheck(frame: Uint8Array): boolean {
  const decoded = decodeFrame(frame);
  return decoded.ok || !/length|check/.test(decoded.error.message);
}

t.test('among overlapping false starts the parser finds what a search from scratch finds', async (t) => {
  const header = fc
    .tuple(fc.constantFrom(0, 0x53, 0x80), fc.integer({ min: 6, max: 60 }), fc.constantFrom(0, 4, 5, 0x0c))
    .map(([address, length, ctrl]) => [0x53, address, length, 0, ctrl]);
  const noise = fc.array(fc.constantFrom(0, 0x53, 4, 0x0c, 8, 0xff), { maxLength: 5 });
  const piece = fc.oneof(
    header,
    noise,
    anyFrame.map((frame) => [...encodeFrame(frame)].slice(0, 60)),
  );
  checkProperty(
    fc.property(fc.array(piece, { maxLength: 30 }), fc.integer({ min: 1, max: 40 }), (pieces, chunk) => {
      const bytes = Uint8Array.from(pieces.flat());
      const parser = new FrameParser();
      const found: string[] = [];
      for (let at = 0; at < bytes.length; at += chunk) {
        found.push(...parser.push(bytes.slice(at, at + chunk), 0).map(toHex));
      }
      found.push(...parser.silence().map(toHex));
      assert.deepStrictEqual(found, foundFromScratch(bytes));
    }),
    FUZZ_RUNS,
  );
  t.pass();
});

const POLL = Uint8Array.from(Buffer.from('53000800066089cc', 'hex'));

t.test('a false start swallows nothing: the frame in it comes out after the silence', async (t) => {
  const parser = new FrameParser(20);
  t.same(parser.push(Uint8Array.of(0x53, 0x00, 0x40, 0x00, 0x04), 0), []);
  t.same(parser.push(POLL, 1), [], 'it may still be the inside of a longer frame');
  t.same(parser.push(POLL, 30).map(toHex), [toHex(POLL), toHex(POLL)]);
  t.match(parser.counts, { frames: 2, cutShort: 1 });
});

t.test('a whole frame inside a longer one is data, never a frame of its own', async (t) => {
  const outer = encodeFrame({ address: 1, reply: true, sequence: 1, check: 'crc', code: 0x50, payload: POLL });
  const parser = new FrameParser();
  const [head, tail] = [outer.slice(0, -1), outer.slice(-1)];
  t.same(parser.push(head, 0), []);
  t.same(parser.push(tail, 1).map(toHex), [toHex(outer)]);
});

t.test('a length that cannot be is not waited for', async (t) => {
  const parser = new FrameParser();
  parser.push(Uint8Array.of(0x53, 0x00, 0xff, 0xff), 0);
  t.notOk(parser.pending);
  parser.push(Uint8Array.of(0x53, 0x00, 0x07, 0x00, 0x04), 0);
  t.notOk(parser.pending, 'with a CRC the shortest frame has 8 bytes');
  parser.push(Uint8Array.of(0x53, 0x00, 0x08, 0x00, 0x44), 0);
  t.notOk(parser.pending, 'reserved control bits');
});

t.test('errors are counted by kind', async (t) => {
  const parser = new FrameParser(20);
  const bad = Uint8Array.from(POLL);
  bad[7] = 0;
  parser.push(Uint8Array.of(0xff, 0x01, 0x02, ...bad), 0);
  t.match(parser.counts, { frames: 0, badChecks: 1, strayBytes: 10 });
});
