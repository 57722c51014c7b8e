import { BLOCK_LENGTH, decryptCbc, encryptBlock, encryptCbc, xorBlocks } from './aes.js';
import { bytesEqual } from './bytes-equal.js';
import { CodecError, type Decoded, decoded } from './codec-error.js';
import { checkLength, closeFrame, decodeFrame, type Frame, openFrame, type ReceivedFrame } from './frame.js';
import type { SessionKeys } from './session-keys.js';

/** Security block types (SIA OSDP v2.2, Annex D, "Security Control Block"). */
export const SCS = {
  challenge: 0x11,
  clientCryptogram: 0x12,
  serverCryptogram: 0x13,
  initialRMac: 0x14,
  command: 0x15,
  reply: 0x16,
  commandEncrypted: 0x17,
  replyEncrypted: 0x18,
} as const;

/**
 * A session at one moment, the same at both ends. Frames of the two directions alternate, and each is chained to the
 * full MAC of the one before it: `chain`, at first R-MAC_I. Never changed in place: a repeat starts from the same value.
 */
export interface SecureSession {
  readonly keys: SessionKeys;
  readonly chain: Uint8Array;
}

export interface Sealed {
  /** From SOM to the check. */
  readonly bytes: Uint8Array;
  readonly session: SecureSession;
}

export interface Opened {
  /** Its payload is plain text. */
  readonly frame: Frame;
  readonly session: SecureSession;
  /** It came as plain text although it has a payload: tolerated for status alone. */
  readonly plain: boolean;
}

/** Encrypts the payload and authenticates a frame. An empty payload travels in SCS_15 or SCS_16, any other in 17 or 18. */
export function seal(session: SecureSession, frame: Omit<Frame, 'securityBlock'>): Sealed {
  const empty = frame.payload.length === 0;
  const plainType = frame.reply ? SCS.reply : SCS.command;
  const encryptedType = frame.reply ? SCS.replyEncrypted : SCS.commandEncrypted;
  return authenticated(session, {
    ...frame,
    securityBlock: { type: empty ? plainType : encryptedType, data: new Uint8Array(0) },
    payload: empty ? frame.payload : encryptCbc(session.keys.enc, complement(session.chain), padded(frame.payload)),
  });
}

/** A status as libosdp sends it: authenticated, and in plain text, under the block type of a command. */
export function sealPlainStatus(session: SecureSession, frame: Omit<Frame, 'securityBlock'>): Sealed {
  return authenticated(session, { ...frame, securityBlock: { type: SCS.command, data: new Uint8Array(0) } });
}

function authenticated(session: SecureSession, frame: Frame): Sealed {
  const body = openFrame(frame);
  const mac = fullMac(session, body);
  return { bytes: closeFrame(body, mac.subarray(0, 4), frame.check), session: { ...session, chain: mac } };
}

/** Authenticates and decrypts a frame. Any error means that the session is over. */
export function open(session: SecureSession, bytes: Uint8Array): Decoded<Opened> {
  const received = decodeFrame(bytes);
  if (!received.ok) return received;
  return decoded(() => openReceived(session, bytes, received.value));
}

function openReceived(session: SecureSession, bytes: Uint8Array, received: ReceivedFrame): Opened {
  const { mac, ...frame } = received;
  if (mac === undefined) throw new CodecError('ERR_OSDP_MAC', 'the frame carries no MAC');
  const body = bytes.subarray(0, bytes.length - mac.length - checkLength(frame.check));
  const expected = fullMac(session, body);
  if (!bytesEqual(expected.subarray(0, mac.length), mac)) throw new CodecError('ERR_OSDP_MAC', 'the MAC is wrong');
  return {
    frame: { ...frame, payload: plainPayload(session, frame) },
    session: { ...session, chain: expected },
    plain: frame.payload.length > 0 && !isEncrypted(frame),
  };
}

function plainPayload(session: SecureSession, frame: Frame): Uint8Array {
  if (isEncrypted(frame)) {
    return unpadded(decryptCbc(session.keys.enc, complement(session.chain), wholeBlocks(frame.payload)));
  }
  const type = frame.securityBlock?.type;
  const empty = type === (frame.reply ? SCS.reply : SCS.command) && frame.payload.length === 0;
  if (empty || (frame.reply && isUnencryptedStatus(frame))) return frame.payload;
  throw new CodecError('ERR_OSDP_MAC', 'the security block does not suit the frame');
}

const isEncrypted = ({ securityBlock, reply }: Frame): boolean =>
  securityBlock?.type === (reply ? SCS.replyEncrypted : SCS.commandEncrypted);

/**
 * libosdp answers ISTAT, OSTAT, LSTAT and RSTAT inside a session with plain data under a right MAC: a status in SCS_15,
 * or (3.2) a NAK in SCS_16. Neither is a secret, so they are taken. A card number or a PIN is never taken so.
 */
function isUnencryptedStatus({ securityBlock, code }: Frame): boolean {
  return (
    (securityBlock?.type === SCS.command && code >= 0x48 && code <= 0x4b) ||
    (securityBlock?.type === SCS.reply && code === 0x41)
  );
}

/**
 * SIA OSDP v2.2, Annex D, "Message Authentication Code Generation": CBC under S-MAC1, the last block under S-MAC2,
 * padded with 80 00… only if the last block is not full.
 */
function fullMac({ keys, chain }: SecureSession, body: Uint8Array): Uint8Array {
  const input = body.length % BLOCK_LENGTH === 0 ? body : padded(body);
  const lastAt = input.length - BLOCK_LENGTH;
  let mac = chain;
  for (let offset = 0; offset < lastAt; offset += BLOCK_LENGTH) {
    mac = encryptBlock(keys.mac1, xorBlocks(mac, input.subarray(offset, offset + BLOCK_LENGTH)));
  }
  return encryptBlock(keys.mac2, xorBlocks(mac, input.subarray(lastAt)));
}

/** Data is encrypted under the complement of the chaining value that its own frame's MAC uses. */
const complement = (chain: Uint8Array): Uint8Array => chain.map((byte) => ~byte);

/** 80, then 00 to the end of the block; a whole block where there is no room. */
function padded(data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array((Math.floor(data.length / BLOCK_LENGTH) + 1) * BLOCK_LENGTH);
  bytes.set(data);
  bytes[data.length] = 0x80;
  return bytes;
}

function unpadded(data: Uint8Array): Uint8Array {
  const end = data.findLastIndex((byte) => byte !== 0);
  if (data[end] !== 0x80) throw new CodecError('ERR_OSDP_MAC', 'the padding is wrong');
  return data.slice(0, end);
}

function wholeBlocks(data: Uint8Array): Uint8Array {
  if (data.length % BLOCK_LENGTH === 0) return data;
  throw new CodecError('ERR_OSDP_MAC', 'the encrypted data is no whole number of blocks');
}
