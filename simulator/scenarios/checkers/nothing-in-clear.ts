import type { LineRecord } from '../../world/index.js';
import type { Violations } from '../violation.js';

const MARK = 0xff;
const START = 0x53;
const SECURITY_BLOCK = 0x08;
const FIRST_SCS_WITH_MAC = 0x15;

/** What may be said in clear on a line whose devices are secured (IEC 60839-11-5, Annex D): identification and handshake. */
const CLEAR_COMMANDS = new Set([0x61, 0x62]);
/** NAK, PDID, PDCAP, BUSY. */
const CLEAR_REPLIES = new Set([0x41, 0x45, 0x46, 0x79]);

/** Watches the wire itself: beyond identification and handshake, nobody speaks without Secure Channel. */
export class NothingInClear {
  constructor(private readonly violations: Violations) {}

  seen({ bytes, from }: LineRecord): void {
    const start = bytes.findIndex((byte) => byte !== MARK);
    if (bytes[start] !== START) return;
    const frame = bytes.subarray(start);
    const [, address = 0, , , control = 0] = frame;
    const isReply = (address & 0x80) !== 0;
    if ((control & SECURITY_BLOCK) !== 0) {
      const type = frame[6] ?? 0;
      const code = frame[5 + (frame[5] ?? 0)] ?? 0;
      const isHandshake = type < FIRST_SCS_WITH_MAC && (isReply ? [0x76, 0x78] : [0x76, 0x77]).includes(code);
      if (type < FIRST_SCS_WITH_MAC && !isHandshake) this.#object(from, code);
      return;
    }
    const code = frame[5] ?? 0;
    if (!(isReply ? CLEAR_REPLIES : CLEAR_COMMANDS).has(code)) this.#object(from, code);
  }

  #object(from: string, code: number): void {
    this.violations.add('nothing-in-clear', `${from} sent 0x${code.toString(16)} without Secure Channel`);
  }
}
