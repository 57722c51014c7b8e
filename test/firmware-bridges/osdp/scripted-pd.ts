import { decodeFrame, encodeFrame, encodeReply, withMark, type Check, type Reply } from '@sparc/protocol/osdp';
import type { LinePort, SerialLine } from '@sparc/simulator/world';

const PDID: Reply = {
  name: 'PDID',
  vendor: '0a0b0c',
  model: 1,
  version: 1,
  serial: 1,
  firmware: { major: 1, minor: 0, build: 0 },
};

/** A PD in clear that says what a test tells it to, right or wrong: what no decent device would. */
export class ScriptedPd {
  /** One for each poll; then ACK. */
  readonly says: Reply[] = [];
  /** Frames with another check it does not hear. */
  check: Check | undefined;
  /** It wants Secure Channel even for ID. */
  refusesId = false;
  /** How often it answers each frame. */
  answers = 1;
  /** When it answers. */
  later: (answer: () => void) => void = (answer) => answer();
  readonly #port: LinePort;

  constructor(
    line: SerialLine,
    private readonly address: number,
  ) {
    this.#port = line.attach('scripted', 9_600, (bytes) => this.#hear(bytes.subarray(1)));
  }

  #hear(bytes: Uint8Array): void {
    const command = decodeFrame(bytes);
    if (!command.ok || command.value.reply || command.value.address !== this.address) return;
    const { address, sequence, check, code } = command.value;
    if (this.check !== undefined && this.check !== check) return;
    const reply = withMark(encodeFrame({ address, reply: true, sequence, check, ...encodeReply(this.#answer(code)) }));
    for (let count = 0; count < this.answers; count++) this.later(() => this.#port.transmit(reply));
  }

  #answer(code: number): Reply {
    if (code === 0x60) return this.says.shift() ?? { name: 'ACK' };
    if (code === 0x61) return this.refusesId ? { name: 'NAK', error: 6, details: new Uint8Array() } : PDID;
    if (code === 0x62) return { name: 'PDCAP', capabilities: [] };
    return { name: 'NAK', error: 3, details: new Uint8Array() };
  }
}
