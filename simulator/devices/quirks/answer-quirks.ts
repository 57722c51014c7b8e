import { decodeReply, encodeReply, type EncodedMessage, type ReplyName } from '@sparc/protocol/osdp';
import type { QuirkSet, ReaderQuirk } from './reader-quirks.js';

/** One reply that a quirk writes in its own way. */
interface AnswerQuirk {
  readonly quirk: ReaderQuirk;
  readonly reply: ReplyName;
  /** `noise`: a random byte. */
  readonly change: (message: EncodedMessage, noise: number) => EncodedMessage;
}

const FUNCTION_CHECK = 8;
const STAR = 0x7f;
const HASH = 0x0d;
const ASCII_ZERO = 0x30;
const KEYPAD_HEAD_LENGTH = 2;
const RAW_HEAD_LENGTH = 4;
const PDID_WITHOUT_FIRMWARE_LENGTH = 9;

const payload = (change: (payload: Uint8Array, noise: number) => Iterable<number>) =>
  ((message, noise) => ({
    ...message,
    payload: Uint8Array.from(change(message.payload, noise)),
  })) satisfies AnswerQuirk['change'];

const ANSWER_QUIRKS: readonly AnswerQuirk[] = [
  { quirk: 'shortPdid', reply: 'PDID', change: payload((pdid) => pdid.subarray(0, PDID_WITHOUT_FIRMWARE_LENGTH)) },
  { quirk: 'checksumOnly', reply: 'PDCAP', change: payload(withoutCrc) },
  { quirk: 'unknownCapabilities', reply: 'PDCAP', change: payload((known) => [0xf0, 1, 1, 0xf1, 0, 0, ...known]) },
  { quirk: 'tailedPdcap', reply: 'PDCAP', change: payload((records) => [...records, 0xf2, 1]) },
  { quirk: 'oddInputCount', reply: 'ISTATR', change: payload((inputs) => [...inputs, 0]) },
  { quirk: 'starHashAsAscii', reply: 'KEYPAD', change: payload(keysAsNumbers) },
  { quirk: 'paddingGarbage', reply: 'RAW', change: payload(withGarbage) },
  { quirk: 'fmtCards', reply: 'RAW', change: asCharacters },
];

/** The reply as a device with these quirks writes it. */
export function quirkyAnswer(quirks: QuirkSet, message: EncodedMessage, noise: () => number): EncodedMessage {
  const decoded = decodeReply(message);
  const name = decoded.ok ? decoded.value.name : undefined;
  return ANSWER_QUIRKS.filter(({ reply }) => reply === name).reduce(
    (changed, { quirk, change }) => (quirks.shows(quirk) ? change(changed, noise()) : changed),
    message,
  );
}

function withoutCrc(records: Uint8Array): Uint8Array {
  return records.map((byte, index) => (index % 3 === 1 && records[index - 1] === FUNCTION_CHECK ? 0 : byte));
}

function keysAsNumbers(keypad: Uint8Array): Uint8Array {
  return keypad.map((key, index) => {
    if (index < KEYPAD_HEAD_LENGTH) return key;
    if (key === STAR) return '*'.charCodeAt(0);
    return key === HASH ? '#'.charCodeAt(0) : key - ASCII_ZERO;
  });
}

function withGarbage(raw: Uint8Array, noise: number): Uint8Array {
  const paddingBits = (8 - (((raw[2] ?? 0) + 256 * (raw[3] ?? 0)) % 8)) % 8;
  return raw.map((byte, index) => (index === raw.length - 1 ? byte | (noise & ((1 << paddingBits) - 1)) : byte));
}

/** The bytes of the card in hexadecimal digits, as magnetic stripe readers write the number. */
function asCharacters({ payload: raw }: EncodedMessage): EncodedMessage {
  const text = Array.from(raw.subarray(RAW_HEAD_LENGTH), (byte) => byte.toString(16).padStart(2, '0')).join('');
  const characters = Uint8Array.from(text, (character) => character.charCodeAt(0));
  return encodeReply({ name: 'FMT', reader: raw[0] ?? 0, direction: 0, characters });
}
