import type { LineRecord } from '../../world/index.js';
import type { Violations } from '../violation.js';

const MARK = 0xff;
const START = 0x53;
const SECURITY_BLOCK = 0x08;
const FIRST_SCS_WITH_MAC = 0x15;
const COMSET = 0x6e;
const KEYSET = 0x75;
const HANDSHAKE_COMMANDS = [0x76, 0x77];
const HANDSHAKE_REPLIES = [0x76, 0x78];
/** In the security block of CHLNG and SCRYPT: which key (SIA OSDP v2.2, Annex D). */
const SCBK_DEFAULT = 0;

/** What may be said in clear on a line whose devices are secured (IEC 60839-11-5, Annex D): identification and handshake. */
const CLEAR_COMMANDS = [0x61, 0x62];
/** NAK, PDID, PDCAP, BUSY. */
const CLEAR_REPLIES = [0x41, 0x45, 0x46, 0x79];
const COM = 0x54;

/**
 * Watches the wire itself: beyond identification and handshake, nobody speaks without Secure Channel. Only while a person
 * has opened a commissioning window are SCBK-D, KEYSET and COMSET in clear seen.
 */
export class NothingInClear {
  windowOpen = false;
  /** Parties whose replies are no surprise. */
  excuse: (from: string) => boolean = () => false;

  constructor(private readonly violations: Violations) {}

  seen({ bytes, from }: LineRecord): void {
    const start = bytes.findIndex((byte) => byte !== MARK);
    if (bytes[start] !== START) return;
    const frame = bytes.subarray(start);
    const [, address = 0, , , control = 0] = frame;
    const isReply = (address & 0x80) !== 0;
    if ((control & SECURITY_BLOCK) !== 0) return this.#seenWithBlock(frame, isReply, from);
    const code = frame[5] ?? 0;
    const allowed = isReply ? CLEAR_REPLIES : CLEAR_COMMANDS;
    if (allowed.includes(code) || (this.windowOpen && code === (isReply ? COM : COMSET))) return;
    if (!(isReply && this.excuse(from))) this.#object(`${from} sent 0x${code.toString(16)} without Secure Channel`);
  }

  #seenWithBlock(frame: Uint8Array, isReply: boolean, from: string): void {
    const [blockLength = 0, type = 0, keySelection] = frame.subarray(5);
    const code = frame[5 + blockLength] ?? 0;
    if (code === KEYSET && !isReply && !this.windowOpen) this.#object(`${from} sent a key outside a window`);
    if (type >= FIRST_SCS_WITH_MAC) return;
    if (!(isReply ? HANDSHAKE_REPLIES : HANDSHAKE_COMMANDS).includes(code)) {
      return this.#object(`${from} sent 0x${code.toString(16)} without Secure Channel`);
    }
    if (!isReply && keySelection === SCBK_DEFAULT && !this.windowOpen) {
      this.#object(`${from} offered SCBK-D outside a window`);
    }
  }

  #object(what: string): void {
    this.violations.add('nothing-in-clear', what);
  }
}
