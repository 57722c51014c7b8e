import {
  bytes,
  countedBytes,
  flag,
  hex,
  i16,
  list,
  obeying,
  rest,
  secret,
  struct,
  tailed,
  u16,
  u32,
  u8,
} from './schema.js';
import { biometricFragment, type Fragment, fragment } from './multipart-codecs.js';
import { message, MessageRegistry, type EncodedMessage, type MessageOf } from './message.js';
import type { Decoded } from './codec-error.js';

/** States of an input in ISTATR; anything else counts as unknown. */
export const INPUT_STATUS = { inactive: 0, active: 1, short: 2, open: 3, fault: 4, unknown: 5 } as const;
/** States of a reader in RSTATR. */
export const READER_STATUS = { normal: 0, notConnected: 1, tamper: 2 } as const;
/** Formats of RAW. */
export const CARD_DATA_FORMAT = { unspecified: 0, wiegand: 1 } as const;
/** `action` of FTSTAT, bit by bit. */
export const FILE_ACTION = {
  /** Other commands may stand between fragments; without it the transfer is exclusive. */
  interleaved: 1,
  /** The PD would leave Secure Channel for the transfer. Never done. */
  leaveSecureChannel: 2,
  /** A report waits in the PD: POLL. */
  pollWaiting: 4,
} as const;
/** `status` of FTSTAT; negative where the transfer has failed. */
export const FILE_STATUS = {
  proceed: 0,
  processed: 1,
  rebooting: 2,
  /** Busy with the file: empty fragments ask again. */
  finishing: 3,
  aborted: -1,
  unrecognised: -2,
  malformed: -3,
} as const;

const none = struct({});

const raw = obeying(struct({ reader: u8, format: u8, bitCount: u16, bits: secret(rest) }), ({ bitCount, bits }) =>
  bits.length === Math.ceil(bitCount / 8) ? undefined : `${bitCount} bits need ${Math.ceil(bitCount / 8)} bytes`,
);

/**
 * Every reply, PD to ACU, in the order of its code (SIA OSDP v2.2, "Replies"; IEC 60839-11-5, 7).
 * A new reply is a line here; its type, codec and printed form follow.
 */
export const REPLIES = [
  message('ACK', 0x40, none),
  /** `details`: NAK 3 may carry the refused code; any tail is accepted. */
  message('NAK', 0x41, struct({ error: u8, details: rest })),
  message(
    'PDID',
    0x45,
    tailed(
      struct({
        vendor: hex(3),
        model: u8,
        version: u8,
        serial: u32,
        firmware: struct({ major: u8, minor: u8, build: u8 }),
      }),
    ),
  ),
  /** A tail shorter than a record is read over. */
  message('PDCAP', 0x46, struct({ capabilities: list(struct({ function: u8, compliance: u8, count: u8 }), 0, 2) })),
  message('LSTATR', 0x48, struct({ tampered: flag, powerFailed: flag })),
  message('ISTATR', 0x49, struct({ inputs: list(u8, 0) })),
  message('OSTATR', 0x4a, struct({ outputs: list(u8, 0) })),
  message('RSTATR', 0x4b, struct({ readers: list(u8, 0) })),
  /** Bit 0 is the most significant bit of the first byte; padding bits of the last byte are as the reader sent them. */
  message('RAW', 0x50, raw),
  message('FMT', 0x51, struct({ reader: u8, direction: u8, characters: secret(countedBytes) })),
  /** ASCII digits, 0x7F for `*` and 0x0D for `#`; {@link keypadText} also knows what other readers send. */
  message('KEYPAD', 0x53, struct({ reader: u8, keys: secret(countedBytes) })),
  message('COM', 0x54, struct({ address: u8, baudRate: u32 })),
  /** `status` as in BIOMETRIC_STATUS. A template longer than a frame comes in fragments. */
  message('BIOREADR', 0x57, biometricFragment),
  message('BIOMATCHR', 0x58, struct({ reader: u8, status: u8, score: u8 })),
  message('EXT_PDID', 0x59, fragment),
  message('CCRYPT', 0x76, struct({ cUID: bytes(8), rndB: bytes(8), clientCryptogram: bytes(16) })),
  message('RMAC_I', 0x78, struct({ rMac: bytes(16) })),
  message('BUSY', 0x79, none),
  /** `action`: bits of FILE_ACTION; `status` as in FILE_STATUS; `messageSizeMax` 0: as before. */
  message('FTSTAT', 0x7a, struct({ action: u8, delayMs: u16, status: i16, messageSizeMax: u16 })),
  message('PIVDATAR', 0x80, fragment),
  message('GENAUTHR', 0x81, fragment),
  message('CRAUTHR', 0x82, fragment),
  /** Incomplete in the standard, and deprecated: whatever the vendor puts there. */
  message('MFGSTATR', 0x83, struct({ data: secret(rest) })),
  message('MFGERRR', 0x84, struct({ data: rest })),
  message('MFGREP', 0x90, struct({ vendor: hex(3), data: secret(rest) })),
  /** Transparent mode; `data` by `mode` and `reply` as in smart-card.ts. */
  message('XRD', 0xb1, struct({ mode: u8, reply: u8, data: secret(rest) })),
] as const;

export type Reply = MessageOf<(typeof REPLIES)[number]>;
export type ReplyName = Reply['name'];
/** Replies that come in as many frames as they need. */
export type FragmentedReply = Extract<Reply, Fragment>;
export type PdId = Omit<Extract<Reply, { name: 'PDID' }>, 'name'>;

const registry = new MessageRegistry(REPLIES);

/** @throws CodecError for a field out of range. */
export const encodeReply = (reply: Reply): EncodedMessage => registry.encode(reply);
export const decodeReply = (encoded: EncodedMessage): Decoded<Reply> => registry.decode(encoded);
/** One line of text. Card numbers, keypad digits and the like are masked unless `secretsShown`: nothing for a log. */
export const describeReply = (reply: Reply, secretsShown = false): string => registry.describe(reply, secretsShown);

export const isFragmented = (reply: Reply): reply is FragmentedReply => 'totalSize' in reply;
