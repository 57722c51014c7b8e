import { BIOMETRIC_FORMAT, BIOMETRIC_STATUS, BIOMETRIC_TYPE } from './biometrics.js';
import { CAPABILITY } from './capabilities.js';
import type { Decoded } from './codec-error.js';
import { LED_COLOR, OUTPUT_CODE, TICK_MS, type Command, type LedRecord } from './commands.js';
import { bytesToHex } from './hex.js';
import { keypadText } from './keypad.js';
import type { Fragment } from './multipart-codecs.js';
import { nakMeaning } from './nak.js';
import { FILE_ACTION, FILE_STATUS, INPUT_STATUS, READER_STATUS, type Reply } from './replies.js';
import { KEY_SELECTION } from './session-keys.js';
import {
  decodeTransparentCommand,
  decodeTransparentReply,
  type TransparentCommand,
  type TransparentReply,
} from './smart-card.js';

/** What a text depends on beside its message. */
export interface TextContext {
  /** Of the security block of a handshake: which key, or whether it was taken. */
  readonly keySelection?: number | undefined;
  readonly showSecrets: boolean;
}

/** What follows the name, for those messages whose fields need words. */
export type Texts<M extends { readonly name: string }> = {
  readonly [N in M['name']]?: (message: Extract<M, { name: N }>, context: TextContext) => string;
};

const nameOf = (names: Readonly<Record<string, number>>, value: number): string =>
  Object.entries(names).find(([, each]) => each === value)?.[0] ?? String(value);
const words = (name: string): string => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
const seconds = (ticks: number): string => `${(ticks * TICK_MS) / 1_000} s`;
const states = (names: Readonly<Record<string, number>>, values: readonly number[]): string =>
  values.length === 0 ? 'none' : values.map((value, index) => `${index} ${words(nameOf(names, value))}`).join(', ');
const bitText = (bits: Uint8Array, bitCount: number): string =>
  Array.from(bits, (byte) => byte.toString(2).padStart(8, '0'))
    .join('')
    .slice(0, bitCount);

function fragmentText({ totalSize, offset, data }: Fragment, { showSecrets }: TextContext): string {
  if (data.length === 0) return `no data, at byte ${offset} of ${totalSize}`;
  const end = offset + data.length;
  const content = showSecrets ? `: ${bytesToHex(data)}` : '';
  return `bytes ${offset} to ${end - 1} of ${totalSize} (${Math.min(100, Math.floor((end * 100) / totalSize))} %)${content}`;
}

/** APDUs may carry a PIN, a serial number identifies a card. */
function transparentText(
  decoded: Decoded<TransparentCommand | TransparentReply>,
  { showSecrets }: TextContext,
): string {
  if (!decoded.ok) return `that cannot be decoded: ${decoded.error.message}`;
  const { kind, ...fields } = decoded.value;
  const content = (value: unknown) =>
    value instanceof Uint8Array ? `${value.length} bytes ${showSecrets ? bytesToHex(value) : '***'}` : String(value);
  return [words(kind), ...Object.entries(fields).map(([name, value]) => `${words(name)} ${content(value)}`)].join(', ');
}

const keyText = (_message: unknown, { keySelection }: TextContext): string =>
  keySelection === KEY_SELECTION.scbkDefault ? 'under SCBK-D' : 'under the SCBK';

export const COMMAND_TEXTS: Texts<Command> = {
  OUT: ({ records }) => records.map(outputText).join(', '),
  LED: ({ records }) => records.map(ledText).join(', '),
  BUZ: ({ reader, tone, onTicks, offTicks, count }) =>
    tone <= 1
      ? `reader ${reader} silent`
      : `reader ${reader} ${count === 0 ? 'until stopped' : `${count} x`}, ${seconds(onTicks)} on, ${seconds(offTicks)} off`,
  BIOREAD: ({ reader, type, format, quality }) =>
    `reader ${reader}, ${words(nameOf(BIOMETRIC_TYPE, type))}, ${words(nameOf(BIOMETRIC_FORMAT, format))}, quality ${quality}`,
  XWR: (message, context) => transparentText(decodeTransparentCommand(message), context),
  CHLNG: keyText,
  SCRYPT: keyText,
  FILETRANSFER: (message, context) => `type ${message.type}, ${fragmentText(message, context)}`,
  GENAUTH: fragmentText,
  CRAUTH: fragmentText,
  COMSET: ({ address, baudRate }) => `to address ${address} at ${baudRate} baud`,
};

function outputText({ output, code, timerTicks }: { output: number; code: number; timerTicks: number }): string {
  const isTimed = code === OUTPUT_CODE.temporaryOn || code === OUTPUT_CODE.temporaryOff;
  return `output ${output} ${words(nameOf(OUTPUT_CODE, code))}${isTimed ? ` for ${seconds(timerTicks)}` : ''}`;
}

function ledText({ reader, led, temporary, permanent }: LedRecord): string {
  const pattern = ({ onTicks, offTicks, onColor, offColor }: LedRecord['permanent']) =>
    offTicks === 0
      ? nameOf(LED_COLOR, onColor)
      : `${nameOf(LED_COLOR, onColor)} ${seconds(onTicks)} / ${nameOf(LED_COLOR, offColor)} ${seconds(offTicks)}`;
  const parts = [
    ...(temporary.code === 1 ? ['temporary state cancelled'] : []),
    ...(temporary.code === 2 ? [`${pattern(temporary)} for ${seconds(temporary.timerTicks)}`] : []),
    ...(permanent.code === 1 ? [`${pattern(permanent)} permanently`] : []),
  ];
  return `reader ${reader} LED ${led}: ${parts.join(', then ') || 'unchanged'}`;
}

const OUTPUT_STATUS = { inactive: 0, active: 1 } as const;

export const REPLY_TEXTS: Texts<Reply> = {
  NAK: ({ error, details }) =>
    `${error}: ${nakMeaning(error)}${details.length === 0 ? '' : ` (${bytesToHex(details)})`}`,
  PDID: ({ vendor, model, version, serial, firmware: { major, minor, build } }) =>
    `vendor ${vendor}, model ${model} version ${version}, serial ${serial}, firmware ${major}.${minor}.${build}`,
  PDCAP: ({ capabilities }) =>
    capabilities
      .map(({ function: code, compliance, count }) => `${words(nameOf(CAPABILITY, code))} ${compliance}/${count}`)
      .join(', ') || 'none',
  LSTATR: ({ tampered, powerFailed }) =>
    `${tampered ? 'tampered with' : 'no tamper'}, power ${powerFailed ? 'failed' : 'normal'}`,
  ISTATR: ({ inputs }) => states(INPUT_STATUS, inputs),
  OSTATR: ({ outputs }) => states(OUTPUT_STATUS, outputs),
  RSTATR: ({ readers }) => states(READER_STATUS, readers),
  RAW: ({ reader, bitCount, bits }, { showSecrets }) =>
    `reader ${reader}, card of ${bitCount} bits: ${showSecrets ? bitText(bits, bitCount) : '***'}`,
  KEYPAD: ({ reader, keys }, { showSecrets }) =>
    `reader ${reader}, ${keys.length} keys: ${showSecrets ? keypadText(keys) : '***'}`,
  CCRYPT: (message, context) => `${keyText(message, context)}, cUID ${bytesToHex(message.cUID)}`,
  RMAC_I: (_message, { keySelection }) => (keySelection === 0x01 ? 'session established' : 'key refused'),
  FTSTAT: ({ action, delayMs, status, messageSizeMax }) =>
    [
      words(nameOf(FILE_STATUS, status)),
      ...(action & FILE_ACTION.interleaved ? [] : ['exclusive']),
      ...(action & FILE_ACTION.leaveSecureChannel ? ['wants to leave Secure Channel'] : []),
      ...(action & FILE_ACTION.pollWaiting ? ['a report waits'] : []),
      ...(delayMs === 0 ? [] : [`next fragment in ${delayMs} ms`]),
      ...(messageSizeMax === 0 ? [] : [`messages of at most ${messageSizeMax} bytes`]),
    ].join(', '),
  BIOREADR: (message, context) =>
    [
      `reader ${message.reader}, ${words(nameOf(BIOMETRIC_STATUS, message.status))}`,
      words(nameOf(BIOMETRIC_TYPE, message.type)),
      fragmentText(message, context),
    ].join(', '),
  BIOMATCHR: ({ reader, status, score }) =>
    `reader ${reader}, ${words(nameOf(BIOMETRIC_STATUS, status))}, score ${score}`,
  XRD: (message, context) => transparentText(decodeTransparentReply(message), context),
  PIVDATAR: fragmentText,
  GENAUTHR: fragmentText,
  CRAUTHR: fragmentText,
  EXT_PDID: fragmentText,
  COM: ({ address, baudRate }) => `from now on address ${address} at ${baudRate} baud`,
};
