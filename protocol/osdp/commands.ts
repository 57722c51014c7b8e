import {
  bytes,
  countedBytes,
  countedText,
  hex,
  list,
  longBytes,
  obeying,
  rest,
  secret,
  struct,
  u16,
  u32,
  u8,
} from './schema.js';
import { authenticationFragment } from './multipart-codecs.js';
import { pivObject } from './piv-data.js';
import { message, MessageRegistry, type EncodedMessage, type MessageOf } from './message.js';
import type { Decoded } from './codec-error.js';

/** Length of a tick, the unit of the timers in OUT, LED and BUZ (SIA OSDP v2.2, "Output Control Command"). */
export const TICK_MS = 100;

/** Control codes of OUT. A timed state falls back to the permanent one inside the PD. */
export const OUTPUT_CODE = {
  nop: 0,
  /** Aborts a timed state. */
  permanentOff: 1,
  permanentOn: 2,
  /** The timed state goes on to its end. */
  permanentOffAfterTimer: 3,
  permanentOnAfterTimer: 4,
  temporaryOn: 5,
  temporaryOff: 6,
} as const;

export const LED_COLOR = { off: 0, red: 1, green: 2, amber: 3, blue: 4, magenta: 5, cyan: 6, white: 7 } as const;
export const LED_TEMPORARY_CODE = { nop: 0, cancel: 1, set: 2 } as const;
export const LED_PERMANENT_CODE = { nop: 0, set: 1 } as const;
export const TONE = { none: 0, off: 1, default: 2 } as const;
export const TEXT_COMMAND = { permanent: 1, permanentWrapped: 2, temporary: 3, temporaryWrapped: 4 } as const;
/** Key types of KEYSET: 1 is the Secure Channel Base Key. */
export const KEY_TYPE_SCBK = 1;
/** Baud rates that OSDP names; a PD that was never told otherwise listens at 9600. */
export const BAUD_RATES = [9_600, 19_200, 38_400, 57_600, 115_200, 230_400] as const;

/** File types of FILETRANSFER; from 0x80 on they are the maker's own. */
export const FILE_TYPE = { opaque: 1, biometricTemplate: 2, displayContent: 3 } as const;

const none = struct({});

const outputRecord = struct({ output: u8, code: u8, timerTicks: u16 });

const ledRecord = struct({
  reader: u8,
  led: u8,
  temporary: struct({ code: u8, onTicks: u8, offTicks: u8, onColor: u8, offColor: u8, timerTicks: u16 }),
  permanent: struct({ code: u8, onTicks: u8, offTicks: u8, onColor: u8, offColor: u8 }),
});

const keySet = obeying(struct({ keyType: u8, key: secret(countedBytes) }), ({ keyType, key }) =>
  keyType === KEY_TYPE_SCBK && key.length === 16 ? undefined : 'only an SCBK of 16 bytes can be set',
);

/**
 * Every command, ACU to PD, in the order of its code (SIA OSDP v2.2, "Commands"; IEC 60839-11-5, 6).
 * A new command is a line here; its type, codec and printed form follow.
 */
export const COMMANDS = [
  message('POLL', 0x60, none),
  /** `type` 0 asks for the standard PDID. */
  message('ID', 0x61, struct({ type: u8 })),
  message('CAP', 0x62, struct({ type: u8 })),
  message('LSTAT', 0x64, none),
  message('ISTAT', 0x65, none),
  message('OSTAT', 0x66, none),
  message('RSTAT', 0x67, none),
  message('OUT', 0x68, struct({ records: list(outputRecord, 1) })),
  message('LED', 0x69, struct({ records: list(ledRecord, 1) })),
  /** `count` 0 sounds until it is stopped. */
  message('BUZ', 0x6a, struct({ reader: u8, tone: u8, onTicks: u8, offTicks: u8, count: u8 })),
  /** `row` and `column` count from 1. */
  message(
    'TEXT',
    0x6b,
    struct({ reader: u8, command: u8, temporarySeconds: u8, row: u8, column: u8, text: countedText }),
  ),
  /** Sets the clock of the PD, in the local time of the door. Obsolete, and still asked for by displays. */
  message('TDSET', 0x6d, struct({ year: u16, month: u8, day: u8, hour: u8, minute: u8, second: u8 })),
  message('COMSET', 0x6e, struct({ address: u8, baudRate: u32 })),
  /** `type`, `format` and `quality` as in BIOMETRIC_TYPE and BIOMETRIC_FORMAT; quality 0 to 255. */
  message('BIOREAD', 0x73, struct({ reader: u8, type: u8, format: u8, quality: u8 })),
  message('BIOMATCH', 0x74, struct({ reader: u8, type: u8, format: u8, quality: u8, template: secret(longBytes) })),
  message('KEYSET', 0x75, keySet),
  message('CHLNG', 0x76, struct({ rndA: bytes(8) })),
  message('SCRYPT', 0x77, struct({ serverCryptogram: bytes(16) })),
  /** The longest frame that the ACU takes, in bytes. */
  message('ACURXSIZE', 0x7b, struct({ size: u16 })),
  /** A fragment of a file; an empty one keeps a transfer alive that is being finished. `data` may hold secrets. */
  message('FILETRANSFER', 0x7c, struct({ type: u8, totalSize: u32, offset: u32, data: secret(longBytes) })),
  /** `vendor` is an OUI in hexadecimal; what the data means is the vendor's affair, and may be a credential. */
  message('MFG', 0x80, struct({ vendor: hex(3), data: secret(rest) })),
  /** Transparent mode; `data` by `mode` and `command` as in smart-card.ts. An APDU may carry a PIN. */
  message('XWR', 0xa1, struct({ mode: u8, command: u8, data: secret(rest) })),
  /** Ends a multi-part message, a biometric or smart-card operation, or a file transfer that is under way. */
  message('ABORT', 0xa2, none),
  message('PIVDATA', 0xa3, pivObject),
  message('GENAUTH', 0xa4, authenticationFragment),
  message('CRAUTH', 0xa5, authenticationFragment),
  /** Keeps the field of the reader, and the session with the card in it, for so long. */
  message('KEEPACTIVE', 0xa7, struct({ durationMs: u16 })),
] as const;

export type Command = MessageOf<(typeof COMMANDS)[number]>;
export type CommandName = Command['name'];
export type OutputRecord = Extract<Command, { name: 'OUT' }>['records'][number];
export type LedRecord = Extract<Command, { name: 'LED' }>['records'][number];

const registry = new MessageRegistry(COMMANDS);

/** @throws CodecError for a field out of range. */
export const encodeCommand = (command: Command): EncodedMessage => registry.encode(command);
export const decodeCommand = (encoded: EncodedMessage): Decoded<Command> => registry.decode(encoded);
/** One line of text. Keys and the like are masked unless `secretsShown`: nothing for a log. */
export const describeCommand = (command: Command, secretsShown = false): string =>
  registry.describe(command, secretsShown);
