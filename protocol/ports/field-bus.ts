import type { ErrorCode, SparcError } from '../errors/index.js';

/** A card read as the reader sent it; bit 0 is the most significant bit of the first byte. */
export interface CardRead {
  readonly deviceId: string;
  /** Reader number inside the device, 0-based. */
  readonly readerNumber: number;
  readonly bitCount: number;
  /** ceil(bitCount / 8) bytes, left-justified, padding bits zero. */
  readonly bits: Uint8Array;
  /** Monotonic instant at which the last byte arrived. */
  readonly receivedAtMs: number;
  /** Upper bound on the age of the read when it arrived: time since the device last answered a poll in its present session. */
  readonly ageMaxMs: number;
  /** The frame came inside Secure Channel. */
  readonly secure: boolean;
}

export interface KeypadEntry {
  readonly deviceId: string;
  readonly readerNumber: number;
  /** Normalised: digits, `*` and `#`. A secret: never logged. */
  readonly keys: string;
  readonly receivedAtMs: number;
  readonly ageMaxMs: number;
  readonly secure: boolean;
}

export const INPUT_STATES = ['inactive', 'active', 'short', 'open', 'fault', 'unknown'] as const;
export type InputState = (typeof INPUT_STATES)[number];

export interface InputChange {
  readonly deviceId: string;
  readonly inputNumber: number;
  readonly state: InputState;
  readonly receivedAtMs: number;
}

export interface OutputChange {
  readonly deviceId: string;
  readonly outputNumber: number;
  readonly active: boolean;
}

/** `secure` only when the session is up; `reason` says why a device is offline or cannot be secured. */
export interface DeviceStatus {
  readonly deviceId: string;
  readonly link: 'offline' | 'connecting' | 'online';
  readonly secure: boolean;
  readonly tampered: boolean;
  readonly powerFailed: boolean;
  readonly reason?: ErrorCode;
}

export interface BusStatus {
  readonly busId: string;
  readonly up: boolean;
  readonly error?: SparcError;
}

/** Things worth a record that are no state: sequence conflicts, two devices at one address, clear text, wrong key. */
export interface BusAlarm {
  readonly busId: string;
  readonly deviceId?: string;
  readonly code: ErrorCode;
  readonly message: string;
}

export interface FieldBusHandlers {
  onCardRead(read: CardRead): void;
  onKeypad(entry: KeypadEntry): void;
  /** Every input once after each (re)connection, then on change. */
  onInput(change: InputChange): void;
  onOutput(change: OutputChange): void;
  /** On every change. After `online`, the caller re-asserts what the device should show and drive. */
  onDevice(status: DeviceStatus): void;
  onBus(status: BusStatus): void;
  onAlarm(alarm: BusAlarm): void;
}

/** OSDP OUT control codes by meaning (IEC 60839-11-5, osdp_OUT): a timed state ends in the device, without the gateway. */
export type OutputAction =
  | { readonly kind: 'off' }
  | { readonly kind: 'on' }
  | { readonly kind: 'onFor'; readonly durationMs: number }
  | { readonly kind: 'offFor'; readonly durationMs: number };

export interface OutputCommand {
  readonly deviceId: string;
  readonly outputNumber: number;
  readonly action: OutputAction;
  /** The command is never transmitted for the first time after this long; a release is never replayed late. */
  readonly ttlMs: number;
}

/** What a reader shows and sounds; the bridge maps it to LED, BUZ and TEXT of the device at hand. */
export const INDICATIONS = [
  'locked',
  'unlocked',
  'processing',
  'pinRequired',
  'cardRequired',
  'granted',
  'denied',
  'heldOpen',
] as const;
export type Indication = (typeof INDICATIONS)[number];

/** `unknown`: transmitted at least once and never answered. `notExecuted`: certainly without effect. */
export type CommandOutcome =
  | { readonly kind: 'acknowledged' }
  | { readonly kind: 'notExecuted'; readonly error: SparcError }
  | { readonly kind: 'unknown'; readonly error: SparcError };

/** All buses of a gateway. Implemented by `firmware-bridges/osdp` and by the simulator's site world. */
export interface FieldBus {
  start(handlers: FieldBusHandlers): void;
  /** Goes before status and polls. */
  setOutput(command: OutputCommand): Promise<CommandOutcome>;
  /** `locked` and `unlocked` are the standing state; the others are momentary and fall back to it. Best effort. */
  indicate(deviceId: string, readerNumber: number, indication: Indication): void;
  stop(): Promise<void>;
}
