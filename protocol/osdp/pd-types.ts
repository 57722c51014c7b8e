import type { Capability } from './capabilities.js';
import type { PdId } from './replies.js';

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
  readonly capabilities: readonly Capability[];
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
  | { readonly kind: 'reader'; readonly number: number; readonly status: number };

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
  | { readonly kind: 'session'; readonly secure: boolean };
