import type { Command } from './commands.js';
import type { OsdpErrorCode } from './error-codes.js';
import type { FragmentedReply, Reply } from './replies.js';
import type { Dialect } from './tolerance.js';

/** Whether a PD must use Secure Channel, and under which key, is configuration, never discovered. Keys have 16 bytes. */
export type SecureChannelPolicy =
  /** `formerScbk`: tried where `scbk` is refused, while it is not proven which of the two the PD has. */
  | { readonly mode: 'required'; readonly scbk: Uint8Array; readonly formerScbk?: Uint8Array }
  /**
   * A person has opened a commissioning window. Until `untilMs` (same clock as `nowMs`) SCBK-D opens a session: with
   * `scbk`, to send this key to the PD and nothing else, and then go on as `required`; without, for commands such as
   * COMSET, none of whose replies counts as secure. SCBK-D protects nothing from whoever listens.
   */
  | { readonly mode: 'install'; readonly scbk?: Uint8Array; readonly untilMs: number }
  | { readonly mode: 'clear' };

/** Times in milliseconds. */
export interface AcuTimings {
  /** From the end of a transmission to the end of the reply (SIA OSDP v2.2, "Timing": 200 ms). */
  readonly replyTimeoutMs: number;
  /** Between two polls of an online PD that has nothing to say. */
  readonly pollIntervalMs: number;
  /** Without a valid reply for so long, a PD is offline (SIA OSDP v2.2, "Timing": 8 s). */
  readonly offlineAfterMs: number;
  /** Before a command answered by BUSY is repeated. */
  readonly busyPauseMs: number;
}

export interface AcuOptions {
  /** 0x00 to 0x7E, or 0x7F to speak to the one PD of a bus. */
  readonly address: number;
  readonly secureChannel: SecureChannelPolicy;
  readonly timings?: Partial<AcuTimings>;
  /** How the PD speaks where stacks disagree. Default DIALECTS.standard. */
  readonly dialect?: Dialect;
}

export type CommandPriority = 'urgent' | 'normal';

export type AcuInput =
  /** The line is this PD's now: transmit at most one frame. `rndA`: 8 fresh random bytes, used only if a CHLNG is sent. */
  | { readonly kind: 'turn'; readonly nowMs: number; readonly rndA: Uint8Array }
  /** One complete frame with a good check and the reply bit, from SOM on, whatever its address. */
  | { readonly kind: 'frame'; readonly nowMs: number; readonly bytes: Uint8Array }
  /** `garbled`: bytes came, but no frame with a good check. */
  | { readonly kind: 'replyTimeout'; readonly nowMs: number; readonly garbled?: boolean }
  /** After `deadlineMs` (same clock as `nowMs`) the command is neither sent nor repeated. */
  | {
      readonly kind: 'enqueue';
      readonly nowMs: number;
      readonly command: Command;
      readonly token: number;
      readonly deadlineMs: number;
      readonly priority: CommandPriority;
    }
  | { readonly kind: 'lineDown'; readonly nowMs: number }
  /** Takes effect at once: the session is negotiated anew and no command outlives it. Throws as `createAcu` does. */
  | {
      readonly kind: 'configure';
      readonly nowMs: number;
      readonly secureChannel?: SecureChannelPolicy;
      readonly address?: number;
    };

export type CommandOutcome =
  | { readonly kind: 'acknowledged'; readonly reply: Reply }
  /** Certainly without effect. */
  | { readonly kind: 'notExecuted'; readonly reason: OsdpErrorCode; readonly detail?: string }
  /** Sent at least once, and no answer that can be trusted. */
  | { readonly kind: 'unknown'; readonly reason: OsdpErrorCode; readonly detail?: string };

export type AcuEffect =
  /** Exactly these bytes, mark included. Then the bus feeds `frame` or `replyTimeout` until `turnDone`. */
  | { readonly kind: 'transmit'; readonly bytes: Uint8Array; readonly replyTimeoutMs: number }
  /** The line is free for other PDs. */
  | { readonly kind: 'turnDone' }
  /**
   * Every accepted reply of the application level, ACK apart. `ageMaxMs` bounds the age of what it reports: the time since the PD
   * was last asked and had nothing to report, in its present session; Infinity before that.
   */
  | {
      readonly kind: 'reply';
      readonly command: Command;
      readonly reply: Reply;
      readonly secure: boolean;
      readonly ageMaxMs: number;
    }
  /** A long reply is whole. Each of its fragments was a `reply` of its own. BIOREADR: the template. */
  | {
      readonly kind: 'message';
      readonly name: FragmentedReply['name'];
      readonly data: Uint8Array;
      readonly secure: boolean;
    }
  | { readonly kind: 'commandDone'; readonly token: number; readonly outcome: CommandOutcome }
  | {
      readonly kind: 'status';
      readonly link: 'offline' | 'connecting' | 'online';
      readonly secure: boolean;
      readonly reason?: OsdpErrorCode;
    }
  | { readonly kind: 'alarm'; readonly code: OsdpErrorCode; readonly message: string }
  /** A deviation from the standard that is tolerated; each is told once. */
  | { readonly kind: 'notice'; readonly code: OsdpErrorCode; readonly message: string }
  /** The PD has opened a session under this key, the first since it was configured or sent: other keys are forgotten. */
  | { readonly kind: 'keyProven'; readonly scbk: Uint8Array }
  /** The answer to COMSET: in force from now on. The machine follows the address, the driver the rate. */
  | { readonly kind: 'communication'; readonly address: number; readonly baudRate: number };
