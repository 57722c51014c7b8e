import { CodecError, type Decoded, decoded } from './codec-error.js';
import { bytesToHex, hexToBytes } from './hex.js';

/** From the point of view of whoever recorded: received, sent, or overheard between two others. */
export const CAPTURE_IO = ['input', 'output', 'trace'] as const;
export type CaptureIo = (typeof CAPTURE_IO)[number];

/** One line of an osdpcap file: some bytes, usually a frame, and when they were on the line. */
export interface CaptureRecord {
  /** Nanoseconds since 1970-01-01T00:00Z. */
  readonly unixNs: bigint;
  readonly io: CaptureIo;
  readonly bytes: Uint8Array;
  /** The program that recorded. */
  readonly source?: string;
}

/** In UTF-16 code units: twenty times what the longest frame needs. */
export const CAPTURE_LINE_LENGTH_MAX = 100_000;

const NS_PER_SECOND = 1_000_000_000n;

/**
 * Reads one line, as tolerantly as the programs in the field differ: hexadecimal digits with spaces, dashes, colons or
 * nothing between the bytes, numbers as text or not, unknown fields. Undefined for a blank line; ERR_OSDP_CAPTURE, which
 * names the line and never shows its content.
 * @param lineNumber counts from 1.
 */
export function decodeCaptureLine(line: string, lineNumber: number): Decoded<CaptureRecord | undefined> {
  return decoded(() => {
    const refuse = (what: string): never => {
      throw new CodecError('ERR_OSDP_CAPTURE', `line ${lineNumber}: ${what}`);
    };
    if (line.length > CAPTURE_LINE_LENGTH_MAX) return refuse(`longer than ${CAPTURE_LINE_LENGTH_MAX} characters`);
    const text = line.replace(/^\uFEFF/, '').trim();
    if (text === '') return undefined;
    const fields = jsonObject(text) ?? refuse('is no JSON object, or was cut short');
    const io = CAPTURE_IO.find((each) => each === String(fields['io']).toLowerCase());
    const source = fields['osdpSource'];
    return {
      unixNs:
        (integer(fields['timeSec']) ?? refuse('timeSec is no whole number')) * NS_PER_SECOND +
        (integer(fields['timeNano']) ?? refuse('timeNano is no whole number')),
      io: io ?? refuse('io is neither input, output nor trace'),
      bytes: hexToBytes(String(fields['data']).replace(/[\s:-]/g, '')) ?? refuse('data is not hexadecimal'),
      ...(typeof source === 'string' ? { source } : {}),
    };
  });
}

/** One line without its break, in the form that SIA's own tools write and read. */
export function encodeCaptureLine({ unixNs, io, bytes, source }: CaptureRecord): string {
  return JSON.stringify({
    timeSec: String(unixNs / NS_PER_SECOND),
    timeNano: String(unixNs % NS_PER_SECOND).padStart(9, '0'),
    io,
    data: bytesToHex(bytes).replace(/(..)(?=.)/g, '$1 '),
    osdpTraceVersion: '1',
    osdpSource: source ?? 'sparc',
  });
}

function jsonObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function integer(value: unknown): bigint | undefined {
  const text = typeof value === 'number' || typeof value === 'string' ? String(value) : '';
  return /^[0-9]{1,20}$/.test(text) ? BigInt(text) : undefined;
}
