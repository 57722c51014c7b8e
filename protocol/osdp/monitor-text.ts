import { CAPABILITY } from './capabilities.js';
import {
  COMMANDS,
  describeCommand,
  LED_COLOR,
  OUTPUT_CODE,
  TICK_MS,
  type Command,
  type LedRecord,
} from './commands.js';
import type { Frame } from './frame.js';
import { bytesToHex } from './hex.js';
import { keypadText } from './keypad.js';
import { HIDDEN_REASONS, type Reading } from './monitor-types.js';
import { nakMeaning } from './nak.js';
import {
  describeReply,
  FILE_ACTION,
  FILE_STATUS,
  INPUT_STATUS,
  READER_STATUS,
  REPLIES,
  type Reply,
} from './replies.js';
import { KEY_SELECTION } from './session-keys.js';

/** The name of a command or reply by its code, which is never encrypted: `POLL`, or `command 0x99`. */
export function codeName(reply: boolean, code: number): string {
  const known = (reply ? REPLIES : COMMANDS).find((schema) => schema.code === code)?.name;
  return known ?? `${reply ? 'reply' : 'command'} 0x${code.toString(16).toUpperCase().padStart(2, '0')}`;
}

/** One line for people: what the frame says, or why that cannot be seen. Secrets are masked unless they are asked for. */
export function readingText(frame: Frame, reading: Reading, showSecrets: boolean): string {
  const name = codeName(frame.reply, frame.code);
  const keySelection = frame.securityBlock?.data[0];
  switch (reading.kind) {
    case 'hidden':
      return frame.payload.length === 0
        ? `${name}: ${HIDDEN_REASONS[reading.reason]}`
        : `${name}, ${frame.payload.length} encrypted bytes: ${HIDDEN_REASONS[reading.reason]}`;
    case 'undecodable':
      return `${name} that cannot be decoded: ${reading.error.message} (${frame.payload.length} bytes)`;
    case 'command':
      return textOf(COMMAND_TEXTS, reading.command, { keySelection, showSecrets }, describeCommand);
    case 'reply':
      return textOf(REPLY_TEXTS, reading.reply, { keySelection, showSecrets }, describeReply);
  }
}

/** One line for people. Secrets are masked unless they are asked for. */
export const replyText = (reply: Reply, showSecrets: boolean): string =>
  textOf(REPLY_TEXTS, reply, { showSecrets }, describeReply);

interface Context {
  /** Of the security block of a handshake: which key, or whether it was taken. */
  readonly keySelection?: number | undefined;
  readonly showSecrets: boolean;
}

/** What follows the name, for those messages whose fields need words. */
type Texts<M extends { readonly name: string }> = {
  readonly [N in M['name']]?: (message: Extract<M, { name: N }>, context: Context) => string;
};

function textOf<M extends { readonly name: string }>(
  texts: Texts<M>,
  message: M,
  context: Context,
  describe: (message: M, secretsShown: boolean) => string,
): string {
  const say = texts[message.name as M['name']] as ((message: M, context: Context) => string) | undefined;
  if (say === undefined) return describe(message, context.showSecrets).replace(/ \{(type=0)?\}$/, '');
  return `${message.name} ${say(message, context)}`;
}

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

interface Fragment {
  readonly totalSize: number;
  readonly offset: number;
  readonly data: Uint8Array;
}

function fragmentText({ totalSize, offset, data }: Fragment, { showSecrets }: Context): string {
  if (data.length === 0) return `no data, at byte ${offset} of ${totalSize}`;
  const end = offset + data.length;
  const content = showSecrets ? `: ${bytesToHex(data)}` : '';
  return `bytes ${offset} to ${end - 1} of ${totalSize} (${Math.floor((end * 100) / totalSize)} %)${content}`;
}

const keyText = (_message: unknown, { keySelection }: Context): string =>
  keySelection === KEY_SELECTION.scbkDefault ? 'under SCBK-D' : 'under the SCBK';

const COMMAND_TEXTS: Texts<Command> = {
  OUT: ({ records }) => records.map(outputText).join(', '),
  LED: ({ records }) => records.map(ledText).join(', '),
  BUZ: ({ reader, tone, onTicks, offTicks, count }) =>
    tone <= 1
      ? `reader ${reader} silent`
      : `reader ${reader} ${count === 0 ? 'until stopped' : `${count} x`}, ${seconds(onTicks)} on, ${seconds(offTicks)} off`,
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

const REPLY_TEXTS: Texts<Reply> = {
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
  PIVDATAR: fragmentText,
  GENAUTHR: fragmentText,
  CRAUTHR: fragmentText,
  EXT_PDID: fragmentText,
  COM: ({ address, baudRate }) => `from now on address ${address} at ${baudRate} baud`,
};
