import { checksum8 } from './checksum.js';
import { CodecError, type Decoded, decoded } from './codec-error.js';
import { crc16 } from './crc.js';

/** Precedes a frame on the line; belongs neither to its length nor to its check. */
export const MARK = 0xff;
export const SOM = 0x53;
/** The highest address of a PD. */
export const ADDRESS_MAX = 0x7e;
/** Any PD answers, with address 0xFF on the wire: only for a line with exactly one. */
export const CONFIGURATION_ADDRESS = 0x7f;
/** Bytes from SOM to the check. */
export const FRAME_LENGTH_MAX = 1440;
/** What every receiver must take, until its PDCAP or ACURXSIZE says more. */
export const RECEIVE_SIZE_MIN = 128;

const HEADER_LENGTH = 5;
const MAC_LENGTH = 4;
const REPLY_BIT = 0x80;
const CTRL = { sequence: 0x03, crc: 0x04, securityBlock: 0x08, reserved: 0xf0 } as const;

/** SQN: 0 opens a connection, then 1, 2, 3, 1, 2, 3 … */
export type Sequence = 0 | 1 | 2 | 3;
export type Check = 'crc' | 'checksum';

export interface SecurityBlock {
  readonly type: number;
  readonly data: Uint8Array;
}

/** One frame, its payload as it stands on the wire (SIA OSDP v2.2, "Packet Format"; IEC 60839-11-5, 5). */
export interface Frame {
  /** 0x00 to 0x7E, or 0x7F for the configuration address. */
  readonly address: number;
  /** True from PD to ACU. */
  readonly reply: boolean;
  readonly sequence: Sequence;
  readonly check: Check;
  readonly securityBlock?: SecurityBlock;
  readonly code: number;
  readonly payload: Uint8Array;
}

/**
 * A frame as received; `mac` is there for the security blocks SCS_15 to SCS_18, unless the frame has no room for one: some
 * ACUs (OSDP.Net's descendants) poll so before there is a session.
 */
export interface ReceivedFrame extends Frame {
  readonly mac?: Uint8Array;
}

export const checkLength = (check: Check): number => (check === 'crc' ? 2 : 1);

/** True for SCS_15 to SCS_18, whose frames end in a MAC. */
export const carriesMac = (block: SecurityBlock | undefined): boolean =>
  block !== undefined && block.type >= 0x15 && block.type <= 0x18;

/** What the first bytes of a would-be frame at `start` say: its length, that more bytes are needed, or that it is none. */
export function frameLength(bytes: Uint8Array, start = 0): number | 'incomplete' | 'invalid' {
  const som = bytes[start];
  const low = bytes[start + 2];
  const high = bytes[start + 3];
  const ctrl = bytes[start + 4];
  if (som !== undefined && som !== SOM) return 'invalid';
  if (low === undefined || high === undefined) return 'incomplete';
  const length = low + 256 * high;
  if (length < HEADER_LENGTH + 2 || length > FRAME_LENGTH_MAX) return 'invalid';
  if (ctrl === undefined) return 'incomplete';
  if ((ctrl & CTRL.reserved) !== 0) return 'invalid';
  return length < HEADER_LENGTH + 1 + checkLength(checkOf(ctrl)) ? 'invalid' : length;
}

/** True where the check at the end of a whole frame is right. */
export function checkIsRight(bytes: Uint8Array): boolean {
  const check = checkOf(bytes[4] ?? 0);
  const end = bytes.length - checkLength(check);
  const covered = bytes.subarray(0, end);
  if (check === 'checksum') return checksum8(covered) === bytes[end];
  return crc16(covered) === (bytes[end] ?? 0) + 256 * (bytes[end + 1] ?? 0);
}

export const checkOf = (ctrl: number): Check => (ctrl & CTRL.crc ? 'crc' : 'checksum');

/** A whole frame without MAC, from SOM to its check. @throws CodecError for a frame that cannot stand on the wire. */
export function encodeFrame(frame: Frame): Uint8Array {
  return closeFrame(openFrame(frame), new Uint8Array(0), frame.check);
}

/** SOM to the last byte before MAC or check, with the final LEN: what a MAC is computed over. */
export function openFrame(frame: Frame): Uint8Array {
  const block = frame.securityBlock;
  const blockLength = block === undefined ? 0 : 2 + block.data.length;
  const bodyLength = HEADER_LENGTH + blockLength + 1 + frame.payload.length;
  const length = bodyLength + (carriesMac(block) ? MAC_LENGTH : 0) + checkLength(frame.check);
  if (length > FRAME_LENGTH_MAX) throw new CodecError('ERR_OSDP_LENGTH', `a frame of ${length} bytes is too long`);
  if (frame.address < 0 || frame.address > CONFIGURATION_ADDRESS) {
    throw new CodecError('ERR_OSDP_VALUE', `address ${frame.address} is not within 0 to 127`);
  }
  const body = new Uint8Array(bodyLength);
  body[0] = SOM;
  body[1] = frame.address | (frame.reply ? REPLY_BIT : 0);
  body[2] = length & 0xff;
  body[3] = length >> 8;
  body[4] = frame.sequence | (frame.check === 'crc' ? CTRL.crc : 0) | (block === undefined ? 0 : CTRL.securityBlock);
  if (block !== undefined) {
    body[5] = blockLength;
    body[6] = block.type;
    body.set(block.data, 7);
  }
  body[HEADER_LENGTH + blockLength] = frame.code;
  body.set(frame.payload, HEADER_LENGTH + blockLength + 1);
  return body;
}

/** Appends the MAC, if any, and the check to an opened frame. */
export function closeFrame(body: Uint8Array, mac: Uint8Array, check: Check): Uint8Array {
  const end = body.length + mac.length;
  const bytes = new Uint8Array(end + checkLength(check));
  bytes.set(body);
  bytes.set(mac, body.length);
  const covered = bytes.subarray(0, end);
  if (check === 'checksum') {
    bytes[end] = checksum8(covered);
  } else {
    const crc = crc16(covered);
    bytes[end] = crc & 0xff;
    bytes[end + 1] = crc >> 8;
  }
  return bytes;
}

/** Takes a whole frame apart, from SOM on. Its payload is still encrypted where the security block says so. */
export function decodeFrame(bytes: Uint8Array): Decoded<ReceivedFrame> {
  return decoded(() => {
    if (frameLength(bytes) !== bytes.length) throw new CodecError('ERR_OSDP_MALFORMED', 'no frame of this length');
    if (!checkIsRight(bytes)) throw new CodecError('ERR_OSDP_MALFORMED', 'the check is wrong');
    return takeApart(bytes);
  });
}

function takeApart(bytes: Uint8Array): ReceivedFrame {
  const [, address = 0, , , ctrl = 0, blockLength = 0] = bytes;
  const check = checkOf(ctrl);
  const block = ctrl & CTRL.securityBlock ? takeBlock(bytes, blockLength) : undefined;
  const codeAt = HEADER_LENGTH + (block === undefined ? 0 : blockLength);
  const checkAt = bytes.length - checkLength(check);
  const hasMac = carriesMac(block) && codeAt < checkAt - MAC_LENGTH;
  const macAt = hasMac ? checkAt - MAC_LENGTH : checkAt;
  const code = bytes[codeAt];
  if (code === undefined || codeAt >= macAt) throw new CodecError('ERR_OSDP_MALFORMED', 'the frame has no code');
  return {
    address: address & ~REPLY_BIT,
    reply: (address & REPLY_BIT) !== 0,
    sequence: (ctrl & CTRL.sequence) as Sequence,
    check,
    ...(block === undefined ? {} : { securityBlock: block }),
    code,
    payload: bytes.slice(codeAt + 1, macAt),
    ...(hasMac ? { mac: bytes.slice(macAt, checkAt) } : {}),
  };
}

function takeBlock(bytes: Uint8Array, length: number): SecurityBlock {
  const type = bytes[HEADER_LENGTH + 1];
  if (type === undefined || length < 2 || HEADER_LENGTH + length > bytes.length) {
    throw new CodecError('ERR_OSDP_MALFORMED', 'the security block does not fit');
  }
  return { type, data: bytes.slice(HEADER_LENGTH + 2, HEADER_LENGTH + length) };
}

/** The bytes that go on the line: one mark, then the frame. */
export function withMark(frame: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(frame.length + 1);
  bytes[0] = MARK;
  bytes.set(frame, 1);
  return bytes;
}
