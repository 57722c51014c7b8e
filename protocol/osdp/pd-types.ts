import type { AuthenticationName, AuthenticationRequest } from './authentication.js';
import type { Capability } from './capabilities.js';
import type { Command } from './commands.js';
import type { ExtendedIdField } from './extended-id.js';
import type { FILE_STATUS, PdId } from './replies.js';
import type { TransparentCommand, TransparentReply } from './smart-card.js';
import type { Dialect } from './tolerance.js';

/** How a PD takes files. */
export interface PdFileOptions {
  /** Longer ones are refused (FTSTAT -1). */
  readonly sizeMax: number;
  /** Fragments alone until the end: no other command between them. */
  readonly exclusive?: boolean;
  /** Pause asked for after each fragment. Default 0. */
  readonly delayMs?: number;
  /** Longest frame of FILETRANSFER, where it is shorter than PDCAP 10 says. */
  readonly messageSizeMax?: number;
}

export interface PdOptions {
  /** 0x00 to 0x7E. */
  readonly address: number;
  readonly baudRate: number;
  /** Secure Channel Base Key, 16 bytes. Without one the PD answers CHLNG with NAK 5 (unless in install mode). */
  readonly scbk?: Uint8Array;
  /** Full security: in clear only ID, CAP, CHLNG and SCRYPT; everything else is NAK 6. */
  readonly requireSecureChannel: boolean;
  /** Accepts SCBK-D, and one KEYSET under it, which ends the mode. */
  readonly installMode: boolean;
  readonly id: PdId;
  /**
   * What PDCAP says, and what the PD therefore does: biometrics (14), PIV, authentication and transparent mode (12), TDSET (7)
   * are refused without their record.
   */
  readonly capabilities: readonly Capability[];
  /** Answers ID 1; say so in PDCAP 17. */
  readonly extendedId?: readonly ExtendedIdField[];
  /** OUIs whose MFG the device understands. Without any, MFG is an unknown command. */
  readonly manufacturerVendors?: readonly string[];
  /** Without it, FILETRANSFER is an unknown command. */
  readonly file?: PdFileOptions;
  /** How it speaks where stacks disagree. Default DIALECTS.standard. */
  readonly dialect?: Dialect;
  readonly inputCount: number;
  readonly outputCount: number;
  readonly readerCount: number;
  readonly ledsPerReader?: number;
  /** From the end of a command to the start of its reply. Default 2 ms. */
  readonly replyDelayMs?: number;
  /** Silence that ends half a frame. Default 20 ms; more behind adapters that deliver in bursts. */
  readonly interCharacterTimeoutMs?: number;
}

/** What happens at the device. Reported one at a time, in answer to POLL. */
export type PdEvent =
  | {
      readonly kind: 'card';
      readonly reader: number;
      readonly format: number;
      readonly bitCount: number;
      readonly bits: Uint8Array;
    }
  /** Bytes as KEYPAD carries them: ASCII digits, 0x7F for `*`, 0x0D for `#`. */
  | { readonly kind: 'keypad'; readonly reader: number; readonly keys: Uint8Array }
  /** `status` as in ISTATR. */
  | { readonly kind: 'input'; readonly number: number; readonly status: number }
  | { readonly kind: 'tamper'; readonly tampered: boolean }
  | { readonly kind: 'power'; readonly failed: boolean }
  /** `status` as in RSTATR. */
  | { readonly kind: 'reader'; readonly number: number; readonly status: number }
  /** A card as characters (FMT); `forward` as it was drawn. */
  | { readonly kind: 'characters'; readonly reader: number; readonly forward: boolean; readonly characters: Uint8Array }
  /** Answers a `biometricRequest` BIOREAD, or comes unasked. `status` as in BIOMETRIC_STATUS. */
  | {
      readonly kind: 'biometricRead';
      readonly reader: number;
      readonly status: number;
      readonly type: number;
      readonly quality: number;
      readonly template: Uint8Array;
    }
  /** Answers a `biometricRequest` BIOMATCH. */
  | { readonly kind: 'biometricMatch'; readonly reader: number; readonly status: number; readonly score: number }
  /** Answers a `pivDataRequest`. */
  | { readonly kind: 'pivData'; readonly data: Uint8Array }
  /** Answers an `authenticate`. */
  | { readonly kind: 'authenticated'; readonly name: AuthenticationName; readonly data: Uint8Array }
  /** Answers a `smartCard`, or tells of a card by itself. */
  | { readonly kind: 'smartCard'; readonly reply: TransparentReply }
  /** Answers a `manufacturer`, or comes unasked. */
  | { readonly kind: 'manufacturer'; readonly vendor: string; readonly data: Uint8Array }
  /** MFGSTATR and MFGERRR, which the standard leaves to the vendor. */
  | { readonly kind: 'manufacturerStatus' | 'manufacturerError'; readonly data: Uint8Array }
  /** What the device makes of the file that it gets: told once it is whole, or as soon as it is known to be useless. */
  | { readonly kind: 'file'; readonly verdict: PdFileVerdict };

export type PdFileVerdict = Exclude<keyof typeof FILE_STATUS, 'proceed' | 'finishing'>;

export type PdInput =
  /** Whatever came over the line. `rndB`: 8 fresh random bytes, used only if a CHLNG is answered. */
  | { readonly kind: 'bytes'; readonly nowMs: number; readonly bytes: Uint8Array; readonly rndB: Uint8Array }
  | { readonly kind: 'time'; readonly nowMs: number }
  | { readonly kind: 'event'; readonly nowMs: number; readonly event: PdEvent }
  /** Answers the next `count` commands with BUSY, as a PD does that needs time. */
  | { readonly kind: 'busy'; readonly nowMs: number; readonly count: number }
  /** Power was cut: forgets session, sequence, outputs and events; keeps key, address and baud rate. */
  | { readonly kind: 'reset'; readonly nowMs: number };

/** How an LED blinks: steady where `offMs` is 0. Colours as in LED_COLOR. */
export interface LedPattern {
  readonly onColor: number;
  readonly offColor: number;
  readonly onMs: number;
  readonly offMs: number;
}

export type PdEffect =
  /** Exactly these bytes, mark included, `delayMs` from now. */
  | { readonly kind: 'transmit'; readonly bytes: Uint8Array; readonly delayMs: number }
  | { readonly kind: 'output'; readonly number: number; readonly active: boolean }
  /** What the LED shows from now on, on every change; `temporary` until its timer ends or a cancel. */
  | {
      readonly kind: 'led';
      readonly reader: number;
      readonly led: number;
      readonly pattern: LedPattern;
      readonly temporary: boolean;
    }
  /** `count` 0: until the next one. `sounding` false: silence. */
  | {
      readonly kind: 'buzzer';
      readonly reader: number;
      readonly sounding: boolean;
      readonly onMs: number;
      readonly offMs: number;
      readonly count: number;
    }
  /** `durationMs` for a temporary text only. Row and column count from 1. */
  | {
      readonly kind: 'text';
      readonly reader: number;
      readonly row: number;
      readonly column: number;
      readonly wrapped: boolean;
      readonly text: string;
      readonly durationMs?: number;
    }
  /** A new key, to be kept in the device's own store. */
  | { readonly kind: 'key'; readonly scbk: Uint8Array }
  /** In force after the reply that precedes it has left. */
  | { readonly kind: 'communication'; readonly address: number; readonly baudRate: number }
  | { readonly kind: 'session'; readonly secure: boolean }
  /** Scan a person or compare one with a template; the answer comes as a `biometricRead` or `biometricMatch`. */
  | { readonly kind: 'biometricRequest'; readonly command: Extract<Command, { name: 'BIOREAD' | 'BIOMATCH' }> }
  /** Read an object of the PIV card in the field; the answer comes as a `pivData`. */
  | {
      readonly kind: 'pivDataRequest';
      readonly objectId: string;
      readonly element: number;
      readonly offset: number;
    }
  /** Let the card prove itself; the answer comes as an `authenticated` of the same name. */
  | { readonly kind: 'authenticate'; readonly name: AuthenticationName; readonly request: AuthenticationRequest }
  /** Transparent mode; the answer comes as a `smartCard`. The machine itself answers for the modes. */
  | { readonly kind: 'smartCard'; readonly command: TransparentCommand }
  | { readonly kind: 'manufacturer'; readonly vendor: string; readonly data: Uint8Array }
  /** Store the bytes at their offset, once each; offset 0 begins a file. `complete` with the last: a `file` is awaited. */
  | {
      readonly kind: 'file';
      readonly type: number;
      readonly totalSize: number;
      readonly offset: number;
      readonly data: Uint8Array;
      readonly complete: boolean;
    }
  /** The ACU knows that the device restarts for its new file; after the reply that precedes it has left. */
  | { readonly kind: 'reboot' }
  /** Keep the field and the session with the card for so long. */
  | { readonly kind: 'keepActive'; readonly durationMs: number }
  /** Local time of the door. */
  | {
      readonly kind: 'timeSet';
      readonly year: number;
      readonly month: number;
      readonly day: number;
      readonly hour: number;
      readonly minute: number;
      readonly second: number;
    }
  /** End what is under way with card, sensor and file; nothing of it is to be answered. */
  | { readonly kind: 'abort' };
