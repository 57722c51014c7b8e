import { assertStrongKeys, type KeyChoice } from './acu-keys.js';
import type { AcuEffect, AcuOptions, AcuTimings, CommandPriority, SecureChannelPolicy } from './acu-types.js';
import { CodecError } from './codec-error.js';
import type { Command } from './commands.js';
import type { OsdpErrorCode } from './error-codes.js';
import { type Check, CONFIGURATION_ADDRESS, RECEIVE_SIZE_MIN, type Sequence } from './frame.js';
import type { Assembly } from './multipart.js';
import type { FragmentedReply } from './replies.js';
import type { SecureSession } from './secure-channel.js';
import type { SessionKeys } from './session-keys.js';
import { type Dialect, DIALECTS } from './tolerance.js';

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
  readonly priority: CommandPriority;
}

/** Where the connection stands. */
export type AcuPhase =
  /** Asks for ID at SQN 0: POLL is refused by a PD that insists on Secure Channel. */
  | { readonly kind: 'probe' }
  | { readonly kind: 'challenge' }
  /** `rndA` went out in CHLNG. */
  | {
      readonly kind: 'challenged';
      readonly choice: KeyChoice;
      readonly keys: SessionKeys;
      readonly rndA: Uint8Array;
    }
  | {
      readonly kind: 'cryptogram';
      readonly choice: KeyChoice;
      readonly keys: SessionKeys;
      readonly serverCryptogram: Uint8Array;
    }
  /** CHLNG was refused by NAK 5; CAP in clear shall say whether the PD lacks the key, or Secure Channel altogether. */
  | { readonly kind: 'refused'; readonly message: string }
  /** A session under SCBK-D that carries KEYSET and nothing else. */
  | { readonly kind: 'installing'; readonly session: SecureSession; readonly scbk: Uint8Array }
  | { readonly kind: 'clear'; readonly sinceMs: number }
  /** `trusted`: under a key of the PD's own, not under SCBK-D. */
  | {
      readonly kind: 'secure';
      readonly session: SecureSession;
      readonly sinceMs: number;
      readonly trusted: boolean;
    }
  /** The commissioning window is over, and there is no key: the PD is left alone. */
  | { readonly kind: 'closed' };

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
  /** Attempts that nothing came back to. */
  readonly misses: number;
  /** Clear text came in answer to this frame, inside a session: what it was. It is believed the second time. */
  readonly doubted: string | undefined;
}

export interface ReportedStatus {
  readonly link: 'offline' | 'connecting' | 'online';
  readonly secure: boolean;
  readonly reason: OsdpErrorCode | undefined;
}

export interface AcuState {
  readonly address: number;
  readonly secureChannel: SecureChannelPolicy;
  /** Which of the policy's keys is tried. */
  readonly keyIndex: number;
  /** The PD has opened a session under the policy's key. */
  readonly keyProven: boolean;
  /** The PD has acknowledged the key that a window is to give it, and has not used it yet. */
  readonly keyGiven: boolean;
  /** A handshake was refused since the PD was last online: the first refusal may be noise, or forged. */
  readonly refusedOnce: boolean;
  readonly timings: AcuTimings;
  readonly dialect: Dialect;
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
  /** Whether a PD that was found by a checksum is spoken to by CRC, as it claims that it can be. */
  readonly crcClaim: 'none' | 'trying' | 'wrong';
  /** When clear text that was not the device's last was an alarm. */
  readonly impostorAlarmAtMs: number;
  /** Deviations that were told of. */
  readonly noticed: readonly string[];
  /** Longest frame that the PD takes. */
  readonly receiveSize: number;
  /** The part of a long reply that is there. */
  readonly incoming: { readonly name: FragmentedReply['name']; readonly assembly: Assembly } | undefined;
  readonly pdid: string | undefined;
  readonly cUID: string | undefined;
}

/** A state while a step works on it, and what the step has caused. */
export type AcuDraft = { -readonly [K in keyof AcuState]: AcuState[K] } & { readonly effects: AcuEffect[] };

/**
 * The ACU's side of one PD.
 * @throws CodecError for an address above 0x7F, for a key that is not 16 bytes long, and for one that others can guess.
 */
export function createAcu({ address, secureChannel, timings, dialect = DIALECTS.standard }: AcuOptions): AcuState {
  assertAddress(address);
  assertStrongKeys(secureChannel);
  return {
    address,
    secureChannel,
    keyIndex: 0,
    keyProven: false,
    keyGiven: false,
    refusedOnce: false,
    timings: { ...DEFAULT_ACU_TIMINGS, ...timings },
    dialect,
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
    crcClaim: 'none',
    impostorAlarmAtMs: Number.NEGATIVE_INFINITY,
    noticed: [],
    receiveSize: RECEIVE_SIZE_MIN,
    incoming: undefined,
    pdid: undefined,
    cUID: undefined,
  };
}

/** @throws CodecError for anything but 0x00 to 0x7F. */
export function assertAddress(address: number): void {
  if (!Number.isInteger(address) || address < 0 || address > CONFIGURATION_ADDRESS) {
    throw new CodecError('ERR_OSDP_VALUE', `address ${address} is not within 0 to 127`);
  }
}

export const isOnline = (state: AcuState): boolean => state.phase.kind === 'clear' || state.phase.kind === 'secure';

/** A session that protects what is said in it. */
export const isSecure = ({ phase }: Pick<AcuState, 'phase'>): boolean => phase.kind === 'secure' && phase.trusted;

/** A command waits, or is under way, that goes before everything else of this PD and of its bus. */
export const hasUrgent = (state: AcuState): boolean =>
  isOnline(state) && (state.urgent.length > 0 || state.exchange?.entry?.priority === 'urgent');

/** Any other command waits. */
export const hasNormal = (state: AcuState): boolean => state.normal.length > 0 && isOnline(state);

/**
 * When the PD next wants a turn: poll, repeat, back-off, a command that waits or one whose deadline passes while it does.
 * A past instant means at once.
 */
export function nextTurnAtMs(state: AcuState): number {
  const { exchange, readyAtMs, pollAtMs, agenda, phase, secureChannel } = state;
  if (phase.kind === 'closed') return Number.POSITIVE_INFINITY;
  const waiting = [...state.urgent, ...state.normal];
  const atOnce = exchange !== undefined || !isOnline(state) || waiting.length + agenda.length > 0;
  return Math.min(
    atOnce ? readyAtMs : Math.max(readyAtMs, pollAtMs),
    ...waiting.map(({ deadlineMs }) => justAfter(deadlineMs)),
    secureChannel.mode === 'install' ? secureChannel.untilMs : Number.POSITIVE_INFINITY,
  );
}

/** The first instant at which a deadline has passed, with room for rounding. */
export const justAfter = (deadlineMs: number): number => deadlineMs + 1;
