import { createCipheriv } from 'node:crypto';
import { checksum8, crc16 } from '@sparc/protocol/osdp';

/** Secure Channel written once more, on node:crypto, for frames that our own sealing would refuse to make. */
const encrypt = (key: Uint8Array, block: Uint8Array): Uint8Array => {
  const cipher = createCipheriv('aes-128-ecb', key, null).setAutoPadding(false);
  return Uint8Array.from(Buffer.concat([cipher.update(block), cipher.final()]));
};

const sessionKey = (scbk: Uint8Array, rndA: Uint8Array, kind: number): Uint8Array =>
  encrypt(scbk, Uint8Array.of(1, kind, ...rndA.slice(0, 6), 0, 0, 0, 0, 0, 0, 0, 0));

export interface ForgedFrame {
  readonly address: number;
  readonly sequence: number;
  readonly blockType: number;
  readonly code: number;
  readonly data: Uint8Array;
}

/** A reply with a MAC: right for the given key and chain, or the given four bytes. */
export function replyWithMac(
  { address, sequence, blockType, code, data }: ForgedFrame,
  mac: Uint8Array | { readonly scbk: Uint8Array; readonly rndA: Uint8Array; readonly chain: Uint8Array },
): Uint8Array {
  const length = 5 + 2 + 1 + data.length + 4 + 2;
  const head = [0x53, address | 0x80, length & 0xff, length >> 8, sequence | 0x0c, 2, blockType, code];
  const body = Uint8Array.of(...head, ...data);
  const signed = Uint8Array.of(...body, ...(mac instanceof Uint8Array ? mac : rightMac(body, mac)).slice(0, 4));
  const crc = crc16(signed);
  return Uint8Array.of(...signed, crc & 0xff, crc >> 8);
}

function rightMac(
  body: Uint8Array,
  { scbk, rndA, chain }: { scbk: Uint8Array; rndA: Uint8Array; chain: Uint8Array },
): Uint8Array {
  const padded = new Uint8Array(Math.ceil(body.length / 16) * 16);
  padded.set(body);
  if (body.length % 16 !== 0) padded[body.length] = 0x80;
  let mac = chain;
  for (let offset = 0; offset < padded.length; offset += 16) {
    const last = offset + 16 === padded.length;
    const block = padded.slice(offset, offset + 16).map((byte, index) => byte ^ (mac[index] ?? 0));
    mac = encrypt(sessionKey(scbk, rndA, last ? 2 : 1), block);
  }
  return mac;
}

/** The same bytes with the length and the check that they need, for whoever changes a frame and wants it looked at. */
export function bytesWithCheck(frame: Uint8Array): Uint8Array {
  const bytes = frame.slice();
  if (bytes.length < 8) return bytes;
  bytes[2] = bytes.length & 0xff;
  bytes[3] = bytes.length >> 8;
  const checkSize = (bytes[4] ?? 0) & 0x04 ? 2 : 1;
  const covered = bytes.subarray(0, -checkSize);
  const check = checkSize === 2 ? crc16(covered) : checksum8(covered);
  bytes.set(checkSize === 2 ? [check & 0xff, check >> 8] : [check], covered.length);
  return bytes;
}
