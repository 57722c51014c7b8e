import { ByteReader } from './byte-cursor.js';
import { CodecError, type Decoded, decoded } from './codec-error.js';
import type { Command } from './commands.js';
import type { Reply } from './replies.js';
import { rest } from './schema.js';
import type { Dialect } from './tolerance.js';

/** What XWR asks (SIA OSDP v2.2, "Transparent Mode"). Mode 0 is about the modes themselves, mode 1 about the card. */
export type TransparentCommand =
  | { readonly kind: 'getMode' }
  /** `reportCards`: tell of every card by itself (XRD card info). */
  | { readonly kind: 'setMode'; readonly mode: number; readonly reportCards: boolean }
  | { readonly kind: 'sendApdu'; readonly reader: number; readonly apdu: Uint8Array }
  | { readonly kind: 'terminate'; readonly reader: number }
  /** `parameters` as the reader's maker defines them. */
  | { readonly kind: 'enterPin'; readonly reader: number; readonly parameters: Uint8Array }
  | { readonly kind: 'scan'; readonly reader: number };

/** What XRD tells. */
export type TransparentReply =
  | { readonly kind: 'error'; readonly mode: number; readonly error: number }
  | { readonly kind: 'mode'; readonly mode: number; readonly reportCards: boolean }
  /** `protocol`: 0 contact, 1 ISO 14443. */
  | {
      readonly kind: 'cardInfo';
      readonly reader: number;
      readonly protocol: number;
      readonly serial: Uint8Array;
      readonly protocolData: Uint8Array;
    }
  /** `status`: 0 none, 1 present, 2 contactless, 3 contact; not every reader says. */
  | { readonly kind: 'cardPresent'; readonly reader: number; readonly status: number | undefined }
  /** The answer of the card: data, then SW1 and SW2. `status` 0 where the reader gives none. */
  | { readonly kind: 'apdu'; readonly reader: number; readonly status: number; readonly apdu: Uint8Array }
  | { readonly kind: 'pinEntered'; readonly reader: number; readonly status: number; readonly triesCount: number };

type Xwr = Extract<Command, { name: 'XWR' }>;
type Xrd = Extract<Reply, { name: 'XRD' }>;

const REPORT_CARDS = 0x01;
/** A card's answer is at least SW1 and SW2; with the reader before them it is longer than any "card present". */
const READER_AND_STATUS_SIZE = 2;

export function encodeTransparentCommand(value: TransparentCommand): Xwr {
  switch (value.kind) {
    case 'getMode':
      return xwr(0, 1);
    case 'setMode':
      return xwr(0, 2, value.mode, value.reportCards ? REPORT_CARDS : 0);
    case 'sendApdu':
      return xwr(1, 1, value.reader, ...value.apdu);
    case 'terminate':
      return xwr(1, 2, value.reader);
    case 'enterPin':
      return xwr(1, 3, value.reader, ...value.parameters);
    case 'scan':
      return xwr(1, 4, value.reader);
  }
}

export const decodeTransparentCommand = ({ mode, command, data }: Omit<Xwr, 'name'>): Decoded<TransparentCommand> =>
  decoded(() => {
    const reader = new ByteReader(data);
    const value = commandIn(mode, command, reader);
    if (reader.remaining > 0) throw new CodecError('ERR_OSDP_LENGTH', `XWR has ${reader.remaining} bytes too many`);
    return value;
  });

function commandIn(mode: number, command: number, reader: ByteReader): TransparentCommand {
  const u8 = (): number => reader.takeUint(1);
  switch (`${mode}.${command}`) {
    case '0.1':
      return { kind: 'getMode' };
    case '0.2':
      return { kind: 'setMode', mode: u8(), reportCards: (u8() & REPORT_CARDS) !== 0 };
    case '1.1':
      return { kind: 'sendApdu', reader: u8(), apdu: rest.read(reader) };
    case '1.2':
      return { kind: 'terminate', reader: u8() };
    case '1.3':
      return { kind: 'enterPin', reader: u8(), parameters: rest.read(reader) };
    case '1.4':
      return { kind: 'scan', reader: u8() };
    default:
      throw new CodecError('ERR_OSDP_VALUE', `XWR knows no command ${command} in mode ${mode}`);
  }
}

/** @throws CodecError for a serial number or protocol data above 255 bytes. */
export function encodeTransparentReply(value: TransparentReply, { apduReply }: Dialect): Xrd {
  switch (value.kind) {
    case 'error':
      return xrd(value.mode, 0, value.error);
    case 'mode':
      return xrd(0, 1, value.mode, value.reportCards ? REPORT_CARDS : 0);
    case 'cardInfo': {
      const { reader, protocol, serial, protocolData } = value;
      if (Math.max(serial.length, protocolData.length) > 0xff) {
        throw new CodecError('ERR_OSDP_VALUE', 'a serial number and protocol data have at most 255 bytes each');
      }
      return xrd(0, 2, reader, protocol, serial.length, protocolData.length, ...serial, ...protocolData);
    }
    case 'cardPresent':
      return value.status === undefined ? xrd(1, 1, value.reader) : xrd(1, 1, value.reader, value.status);
    case 'apdu':
      return apduReply === 'cardPresent'
        ? xrd(1, 1, value.reader, ...value.apdu)
        : xrd(1, 2, value.reader, value.status, ...value.apdu);
    case 'pinEntered':
      return xrd(1, 3, value.reader, value.status, value.triesCount);
  }
}

/** Takes both forms of a card's answer: reply 2 with a status byte, and reply 1 without (see {@link Dialect}). */
export const decodeTransparentReply = ({ mode, reply, data }: Omit<Xrd, 'name'>): Decoded<TransparentReply> =>
  decoded(() => {
    const reader = new ByteReader(data);
    const value = replyIn(mode, reply, reader);
    if (reader.remaining > 0) throw new CodecError('ERR_OSDP_LENGTH', `XRD has ${reader.remaining} bytes too many`);
    return value;
  });

function replyIn(mode: number, reply: number, reader: ByteReader): TransparentReply {
  const u8 = (): number => reader.takeUint(1);
  switch (`${mode}.${reply}`) {
    case '0.0':
    case '1.0':
      return { kind: 'error', mode, error: u8() };
    case '0.1':
      return { kind: 'mode', mode: u8(), reportCards: (u8() & REPORT_CARDS) !== 0 };
    case '0.2': {
      const [number, protocol, serialSize, protocolSize] = [u8(), u8(), u8(), u8()];
      return {
        kind: 'cardInfo',
        reader: number,
        protocol,
        serial: reader.take(serialSize),
        protocolData: reader.take(protocolSize),
      };
    }
    case '1.1': {
      const number = u8();
      if (reader.remaining >= READER_AND_STATUS_SIZE) {
        return { kind: 'apdu', reader: number, status: 0, apdu: rest.read(reader) };
      }
      return { kind: 'cardPresent', reader: number, status: reader.remaining === 0 ? undefined : u8() };
    }
    case '1.2':
      return { kind: 'apdu', reader: u8(), status: u8(), apdu: rest.read(reader) };
    case '1.3':
      return { kind: 'pinEntered', reader: u8(), status: u8(), triesCount: u8() };
    default:
      throw new CodecError('ERR_OSDP_VALUE', `XRD knows no reply ${reply} in mode ${mode}`);
  }
}

const xwr = (mode: number, command: number, ...data: readonly number[]): Xwr => ({
  name: 'XWR',
  mode,
  command,
  data: Uint8Array.from(data),
});

const xrd = (mode: number, reply: number, ...data: readonly number[]): Xrd => ({
  name: 'XRD',
  mode,
  reply,
  data: Uint8Array.from(data),
});
