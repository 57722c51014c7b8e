import type { AcuEffect, AcuOptions, AcuTimings, SecureChannelPolicy } from './acu-types.js';
import { bytesEqual } from './bytes-equal.js';
import { CodecError } from './codec-error.js';
import type { Command } from './commands.js';
import type { OsdpErrorCode } from './error-codes.js';
import { type Check, CONFIGURATION_ADDRESS, RECEIVE_SIZE_MIN, type Sequence } from './frame.js';
import type { SecureSession } from './secure-channel.js';
import { SCBK_DEFAULT, type SessionKeys } from './session-keys.js';

export const DEFAULT_ACU_TIMINGS: AcuTimings = {
  replyTimeoutMs: 200,
  pollIntervalMs: 50,
  offlineAfterMs: 8_000,
  busyPauseMs: 100,
};

/** A command of the application that waits, or is under way. */
export interface QueueEntry {
  readonly command: Command;
  readonly token: number;
  readonly deadlineMs: number;
}

/** Where the connection stands. */
export type AcuPhase =
  /** Asks for ID at SQN 0: POLL is refused by a PD that insists on Secure Channel. */
  | { readonly kind: 'probe' }
  | { readonly kind: 'challenge' }
  /** `rndA` went out in CHLNG. */
  | { readonly kind: 'challenged'; readonly keys: SessionKeys; readonly rndA: Uint8Array }
  | { readonly kind: 'cryptogram'; readonly keys: SessionKeys; readonly serverCryptogram: Uint8Array }
  | { readonly kind: 'clear'; readonly sinceMs: number }
  | { readonly kind: 'secure'; readonly session: SecureSession; readonly sinceMs: number };

/** The one frame that has no answer yet. It is repeated byte for byte, or given up together with the session. */
export interface Exchange {
  readonly command: Command;
  readonly entry: QueueEntry | undefined;
  readonly bytes: Uint8Array;
  readonly sequence: Sequence;
  /** The session after this frame, which opens the reply. */
  readonly session: SecureSession | undefined;
  readonly firstSentMs: number;
  readonly attempts: number;
}

export interface ReportedStatus {
  readonly link: 'offline' | 'connecting' | 'online';
  readonly secure: boolean;
  readonly reason: OsdpErrorCode | undefined;
}

export interface AcuState {
  readonly address: number;
  readonly secureChannel: SecureChannelPolicy;
  readonly timings: AcuTimings;
  readonly phase: AcuPhase;
  readonly status: ReportedStatus | undefined;
  readonly exchange: Exchange | undefined;
  readonly inTurn: boolean;
  /** SQN of the last command that was answered. */
  readonly sequence: Sequence | undefined;
  /** The reply last accepted: its duplicates are ignored. */
  readonly lastReply: Uint8Array;
  readonly urgent: readonly QueueEntry[];
  readonly normal: readonly QueueEntry[];
  /** What the machine itself still has to ask. */
  readonly agenda: readonly Command[];
  /** Not before this instant, whatever waits. */
  readonly readyAtMs: number;
  readonly pollAtMs: number;
  /** The last new frame was a poll. */
  readonly polledLast: boolean;
  readonly lastValidMs: number;
  /** When a poll was sent that the PD answered with nothing to report, in the present session. */
  readonly emptyPollMs: number | undefined;
  /** Probes without an answer, one after the other. */
  readonly silentProbes: number;
  readonly garbledProbes: number;
  /** Sessions that failed or did not last, one after the other. */
  readonly troubles: number;
  /** What the PD answers the probe with; CRC as soon as it says that it knows it. */
  readonly check: Check;
  /** Longest frame that the PD takes. */
  readonly receiveSize: number;
  readonly pdid: string | undefined;
  readonly cUID: string | undefined;
}

/** A state while a step works on it, and what the step has caused. */
export type AcuDraft = { -readonly [K in keyof AcuState]: AcuState[K] } & { readonly effects: AcuEffect[] };

/**
 * The ACU's side of one PD.
 * @throws CodecError for an address above 0x7F, for a key that is not 16 bytes long, and for the default key SCBK-D.
 */
export function createAcu({ address, secureChannel, timings }: AcuOptions): AcuState {
  if (!Number.isInteger(address) || address < 0 || address > CONFIGURATION_ADDRESS) {
    throw new CodecError('ERR_OSDP_VALUE', `address ${address} is not within 0 to 127`);
  }
  if (secureChannel.mode === 'required') assertUsableKey(secureChannel.scbk);
  return {
    address,
    secureChannel,
    timings: { ...DEFAULT_ACU_TIMINGS, ...timings },
    phase: { kind: 'probe' },
    status: undefined,
    exchange: undefined,
    inTurn: false,
    sequence: undefined,
    lastReply: new Uint8Array(0),
    urgent: [],
    normal: [],
    agenda: [],
    readyAtMs: 0,
    pollAtMs: 0,
    polledLast: false,
    lastValidMs: 0,
    emptyPollMs: undefined,
    silentProbes: 0,
    garbledProbes: 0,
    troubles: 0,
    check: 'crc',
    receiveSize: RECEIVE_SIZE_MIN,
    pdid: undefined,
    cUID: undefined,
  };
}

function assertUsableKey(scbk: Uint8Array): void {
  if (scbk.length !== 16) throw new CodecError('ERR_OSDP_VALUE', 'an SCBK has 16 bytes');
  if (bytesEqual(scbk, SCBK_DEFAULT)) throw new CodecError('ERR_OSDP_VALUE', 'SCBK-D is public and protects nobody');
}

export const isOnline = (state: AcuState): boolean => state.phase.kind === 'clear' || state.phase.kind === 'secure';

/** A command waits, or is under way, that goes before everything else of this PD and of its bus. */
export const hasUrgent = (state: AcuState): boolean => state.urgent.length > 0 && isOnline(state);

/** Any other command waits. */
export const hasNormal = (state: AcuState): boolean => state.normal.length > 0 && isOnline(state);

/**
 * When the PD next wants a turn: poll, repeat, back-off, a command that waits or one whose deadline passes while it does.
 * A past instant means at once.
 */
export function nextTurnAtMs(state: AcuState): number {
  const { exchange, readyAtMs, pollAtMs, agenda } = state;
  const waiting = [...state.urgent, ...state.normal];
  const atOnce = exchange !== undefined || !isOnline(state) || waiting.length + agenda.length > 0;
  return Math.min(
    atOnce ? readyAtMs : Math.max(readyAtMs, pollAtMs),
    ...waiting.map(({ deadlineMs }) => justAfter(deadlineMs)),
  );
}

/** The first instant at which a deadline has passed, with room for rounding. */
export const justAfter = (deadlineMs: number): number => deadlineMs + 1;
