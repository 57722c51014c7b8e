import { CodecError } from './codec-error.js';
import { ADDRESS_MAX, type Sequence } from './frame.js';
import { EMPTY_PARSER, type ParserState } from './frame-parser.js';
import type { PdEffect, PdOptions } from './pd-types.js';
import { INPUT_STATUS, READER_STATUS, type Reply } from './replies.js';
import type { SecureSession } from './secure-channel.js';
import type { SessionKeys } from './session-keys.js';
import type { AuthenticationAssembly, AuthenticationName } from './authentication.js';
import type { FileReceiver } from './pd-file.js';
import { type Dialect, DIALECTS } from './tolerance.js';
import type { LedState } from './pd-leds.js';
import type { OutputState } from './pd-outputs.js';

/** Where Secure Channel stands. */
export type PdSecurity =
  | { readonly kind: 'none' }
  /** CCRYPT is out. The same CHLNG again gets the same RND.B, so that a late answer to its first copy stays valid. */
  | {
      readonly kind: 'challenged';
      readonly keys: SessionKeys;
      readonly keySelection: number;
      readonly rndA: Uint8Array;
      readonly rndB: Uint8Array;
    }
  | { readonly kind: 'established'; readonly session: SecureSession; readonly keySelection: number };

/** The last command as its bytes and the answer to it, for a byte-identical repeat. */
export interface LastExchange {
  readonly sequence: Sequence;
  readonly command: Uint8Array;
  readonly reply: Uint8Array;
}

export interface PdState {
  readonly options: PdOptions;
  readonly address: number;
  readonly baudRate: number;
  readonly scbk: Uint8Array | undefined;
  readonly installMode: boolean;
  readonly parser: ParserState;
  readonly security: PdSecurity;
  readonly last: LastExchange | undefined;
  readonly lastHeardMs: number;
  readonly busyCount: number;
  /** What POLL will be answered with, oldest first. */
  readonly reports: readonly Reply[];
  readonly tampered: boolean;
  readonly powerFailed: boolean;
  readonly inputs: readonly number[];
  readonly outputs: readonly OutputState[];
  readonly readers: readonly number[];
  readonly leds: readonly LedState[];
  /** What the ACU said by ACURXSIZE: no longer frame is sent. */
  readonly acuReceiveSize: number | undefined;
  /** The part of GENAUTH or CRAUTH that is there. */
  readonly incoming: { readonly name: AuthenticationName; readonly assembly: AuthenticationAssembly } | undefined;
  /** Modes of the smart-card reader: 1 is transparent. */
  readonly cardMode: { readonly mode: number; readonly reportCards: boolean };
  readonly file: FileReceiver | undefined;
}

/** A state while a step works on it, and what the step has caused. */
export type PdDraft = { -readonly [K in keyof PdState]: PdState[K] } & { readonly effects: PdEffect[] };

export const dialectOf = ({ dialect = DIALECTS.standard }: PdOptions): Dialect => dialect;

/** A PD that has just been powered. @throws CodecError for an address above 0x7E or a key that is not 16 bytes long. */
export function createPd(options: PdOptions): PdState {
  if (!Number.isInteger(options.address) || options.address < 0 || options.address > ADDRESS_MAX) {
    throw new CodecError('ERR_OSDP_VALUE', `address ${options.address} is not within 0 to 126`);
  }
  if (options.scbk !== undefined && options.scbk.length !== 16) {
    throw new CodecError('ERR_OSDP_VALUE', 'an SCBK has 16 bytes');
  }
  return powered(options, {
    address: options.address,
    baudRate: options.baudRate,
    scbk: options.scbk,
    installMode: options.installMode,
  });
}

/** What a PD keeps without power. */
export type PdMemory = Pick<PdState, 'address' | 'baudRate' | 'scbk' | 'installMode'>;

export function powered(options: PdOptions, memory: PdMemory): PdState {
  const { inputCount, outputCount, readerCount, ledsPerReader = 1 } = options;
  return {
    options,
    address: memory.address,
    baudRate: memory.baudRate,
    scbk: memory.scbk,
    installMode: memory.installMode,
    parser: EMPTY_PARSER,
    security: { kind: 'none' },
    last: undefined,
    lastHeardMs: 0,
    busyCount: 0,
    reports: [],
    tampered: false,
    powerFailed: false,
    inputs: Array.from({ length: inputCount }, () => INPUT_STATUS.inactive),
    outputs: Array.from({ length: outputCount }, () => ({ permanent: false, temporary: undefined })),
    readers: Array.from({ length: readerCount }, () => READER_STATUS.normal),
    leds: Array.from({ length: readerCount * ledsPerReader }, (_, index) => ({
      reader: Math.floor(index / ledsPerReader),
      led: index % ledsPerReader,
      permanent: undefined,
      temporary: undefined,
    })),
    acuReceiveSize: undefined,
    incoming: undefined,
    cardMode: { mode: 0, reportCards: false },
    file: undefined,
  };
}
