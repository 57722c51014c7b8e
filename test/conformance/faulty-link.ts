import { BUFFERED_INTER_CHARACTER_TIMEOUT_MS, encodeFrame, FrameParser, withMark } from '@sparc/protocol/osdp';
import type { ByteLink, ByteLinkHandlers } from '@sparc/protocol/ports';

const REPLY_BIT = 0x80;
const SEQUENCE_BITS = 0x03;
const NAK = 0x41;
const BUSY = 0x79;
/** Longer than the 200 ms that an ACU waits (SIA OSDP v2.2, "Timing"). */
const LATE_MS = 300;
const SLOW_MS = 150;
const REPLY_DELAY_MS = 3;

/**
 * What becomes of one frame, its mark before it: it may be passed on, altered, later, or its sender may be answered in
 * its receiver's name.
 */
type Happening = (frame: Uint8Array, pass: (bytes: Uint8Array) => void, answer: (bytes: Uint8Array) => void) => void;

export interface LineFault {
  readonly name: string;
  readonly of: 'command' | 'reply';
  /** So many frames in a row. */
  readonly count: number;
  readonly happening: Happening;
}

/** A frame as it came to the link, faults apart; `bytes` from SOM on. */
export interface SeenFrame {
  readonly atMs: number;
  readonly address: number;
  readonly reply: boolean;
  readonly bytes: Uint8Array;
}

const fault = (name: string, of: LineFault['of'], happening: Happening, count = 1): LineFault => ({
  name,
  of,
  count,
  happening,
});

const lost: Happening = () => undefined;
const corrupted: Happening = (frame, pass) => pass(frame.map((byte, index) => (index === 7 ? byte ^ 0x10 : byte)));
const cutShort: Happening = (frame, pass) => pass(frame.subarray(0, frame.length - 3));
const late: Happening = (frame, pass) => void setTimeout(() => pass(frame), LATE_MS);
const slow: Happening = (frame, pass) => void setTimeout(() => pass(frame), SLOW_MS);
const inPieces: Happening = (frame, pass) => {
  frame.forEach((_, index) => setTimeout(() => pass(frame.subarray(index, index + 1)), index));
};
const twice: Happening = (frame, pass) => {
  pass(frame);
  pass(frame);
};
const afterNoise: Happening = (frame, pass) => pass(Uint8Array.of(0x53, 0x00, 0x53, 0x53, 0x85, ...frame));

/** Nobody needs a key to say these: they are in clear, and the command does not reach its device. */
const forged =
  (code: number, payload: Uint8Array, sequence?: 0): Happening =>
  (frame, _, answer) => {
    const own = ((frame[5] ?? 0) & SEQUENCE_BITS) as 0 | 1 | 2 | 3;
    const address = frame[2] ?? 0;
    const answered = encodeFrame({ address, reply: true, sequence: sequence ?? own, check: 'crc', code, payload });
    setTimeout(() => answer(withMark(answered)), REPLY_DELAY_MS);
  };
const nak = (error: number) => forged(NAK, Uint8Array.of(error));

/** What point by point may happen to one frame. A reset is no fault of a line: it is done to the device. */
export const LINE_FAULTS: readonly LineFault[] = [
  fault('command lost', 'command', lost),
  fault('reply lost', 'reply', lost),
  fault('two replies lost', 'reply', lost, 2),
  fault('reply with a bad CRC', 'reply', corrupted),
  fault('reply cut short', 'reply', cutShort),
  fault('reply byte by byte', 'reply', inPieces),
  fault('noise before the reply', 'reply', afterNoise),
  fault('command duplicated', 'command', twice),
  fault('reply duplicated', 'reply', twice),
  fault('reply after 150 ms', 'reply', slow),
  fault('reply after 300 ms', 'reply', late),
  fault('BUSY', 'command', forged(BUSY, new Uint8Array(0), 0)),
  fault('BUSY three times', 'command', forged(BUSY, new Uint8Array(0), 0), 3),
  fault('forged NAK 1', 'command', nak(1)),
  fault('forged NAK 4', 'command', nak(4)),
  fault('forged NAK 5', 'command', nak(5)),
  fault('forged NAK 6', 'command', nak(6)),
];

/** Heard by every device of the line. A libosdp PD that hears it ends its session, whomever it was for. */
export const COMMAND_CORRUPTED = fault('command with a bad CRC', 'command', corrupted);

interface ArmedFault {
  readonly address: number;
  readonly fault: LineFault;
  left: number;
  readonly fired: (atMs: number) => void;
}

/** A link on which single frames meet with accidents. Whole frames pass; what belongs to none does not. */
export class FaultyLink implements ByteLink {
  onFrame: (frame: SeenFrame) => void = () => undefined;
  #armed: ArmedFault | undefined;
  #handlers: ByteLinkHandlers | undefined;
  readonly #sent = new FrameParser(BUFFERED_INTER_CHARACTER_TIMEOUT_MS);
  readonly #received = new FrameParser(BUFFERED_INTER_CHARACTER_TIMEOUT_MS);

  constructor(private readonly inner: ByteLink) {}

  get name(): string {
    return this.inner.name;
  }

  get baudRate(): number {
    return this.inner.baudRate;
  }

  get canSetBaudRate(): boolean {
    return this.inner.canSetBaudRate;
  }

  /** The next frames of the device meet with it; resolves with the instant of the first. */
  arm(address: number, fault: LineFault): Promise<number> {
    return new Promise((resolve) => (this.#armed = { address, fault, left: fault.count, fired: resolve }));
  }

  /** Nothing is going to happen any more. */
  get idle(): boolean {
    return this.#armed === undefined;
  }

  start(handlers: ByteLinkHandlers): void {
    this.#handlers = handlers;
    this.inner.start({
      ...handlers,
      onOpen: () => handlers.onOpen(),
      onDown: (error) => handlers.onDown(error),
      onData: (bytes) => this.#carry(this.#received, bytes, this.#receive, this.#send),
    });
  }

  write(bytes: Uint8Array): void {
    this.#carry(this.#sent, bytes, this.#send, this.#receive);
  }

  setBaudRate(baudRate: number): Promise<void> {
    return this.inner.setBaudRate(baudRate);
  }

  async stop(): Promise<void> {
    this.#handlers = undefined;
    await this.inner.stop();
  }

  readonly #send = (bytes: Uint8Array): void => this.inner.write(bytes);
  readonly #receive = (bytes: Uint8Array): void => this.#handlers?.onData(bytes);

  #carry(
    parser: FrameParser,
    bytes: Uint8Array,
    forward: (bytes: Uint8Array) => void,
    back: (bytes: Uint8Array) => void,
  ): void {
    const atMs = performance.now();
    for (const frame of parser.push(bytes, atMs)) {
      const address = (frame[1] ?? 0) & ~REPLY_BIT;
      const reply = ((frame[1] ?? 0) & REPLY_BIT) !== 0;
      this.onFrame({ atMs, address, reply, bytes: frame });
      const armed = this.#armed;
      if (armed?.address !== address || (armed.fault.of === 'reply') !== reply) {
        forward(withMark(frame));
        continue;
      }
      armed.fired(atMs);
      armed.left -= 1;
      if (armed.left === 0) this.#armed = undefined;
      armed.fault.happening(withMark(frame), forward, back);
    }
  }
}
