import { decodeFrame, FrameParser, INTER_CHARACTER_TIMEOUT_MS } from '@sparc/protocol/osdp';
import type { SerialLine } from '@sparc/simulator/world';

/** Codes that a listener on the line reads, also inside Secure Channel, which encrypts data only. */
export const WIRE_CODE = {
  poll: 0x60,
  out: 0x68,
  led: 0x69,
  keySet: 0x75,
  challenge: 0x76,
  ack: 0x40,
  com: 0x54,
  raw: 0x50,
  initialRMac: 0x78,
} as const;

const BITS_PER_CHARACTER = 10;

/** A whole frame that was on the line; instants on the clock of `performance.now`. */
export interface WireFrame {
  /** Its first bit, mark included. */
  readonly startMs: number;
  /** Its last bit. */
  readonly endMs: number;
  readonly address: number;
  readonly reply: boolean;
  readonly code: number;
}

/** Listens to a simulated line as a logic analyser would. */
export class WireMonitor {
  readonly frames: WireFrame[] = [];
  /** At once: its sender has not done anything else since. */
  onFrame: (frame: WireFrame) => void = () => undefined;

  constructor(line: SerialLine, baudRate: number) {
    const parsers = new Map<string, FrameParser>();
    line.onRecord = ({ from, bytes, atMs }) => {
      let parser = parsers.get(from);
      if (parser === undefined) parsers.set(from, (parser = new FrameParser(INTER_CHARACTER_TIMEOUT_MS)));
      for (const whole of parser.push(bytes, atMs)) {
        const frame = decodeFrame(whole);
        if (!frame.ok) continue;
        const durationMs = ((whole.length + 1) * BITS_PER_CHARACTER * 1_000) / baudRate;
        const { address, reply, code } = frame.value;
        const seen = { startMs: atMs - durationMs, endMs: atMs, address, reply, code };
        this.frames.push(seen);
        this.onFrame(seen);
      }
    };
  }

  /** The first frame that began at or after `fromMs`, has this code, and came from or went to `address`. */
  first(code: number, address: number, fromMs: number): WireFrame | undefined {
    return this.frames.find((frame) => frame.startMs >= fromMs && frame.code === code && frame.address === address);
  }

  /** Times between one poll or command to `address` and the next, of those that began in the window; milliseconds. */
  turnGapsMs(address: number, fromMs: number, toMs: number): number[] {
    const starts = this.frames
      .filter(
        ({ startMs, reply, ...frame }) => !reply && frame.address === address && startMs >= fromMs && startMs < toMs,
      )
      .map(({ startMs }) => startMs);
    return starts.slice(1).map((startMs, index) => startMs - (starts[index] ?? 0));
  }
}
