import type { EventName, EventOf } from '@sparc/protocol/events';
import type { StandingMode } from '@sparc/protocol/policy';
import type { CommandOutcome, Indication, InputState, OutputAction } from '@sparc/protocol/ports';
import type { DoorSettings } from './door-settings.js';

/**
 * A contact or an exit request, with `activeWhen` applied: `active` is an open door, or a pressed button. `short`, `open`
 * and `fault` are states of the wiring and neither of both; `unknown` is out of reach.
 */
export type Signal = InputState;

/** One grant or exit request from its release to its end. */
export interface Passage {
  /** Names the record that caused it; a number of the driver's. */
  readonly cause: number;
  readonly kind: 'access' | 'exit';
  /** The first command that releases for it; undefined until that is sent. */
  readonly token: number | undefined;
  /** It asks for the lock to be released until then. */
  readonly untilMs: number;
  /** Somebody is on the way out: it is not withdrawn, and a command for it that fails is repeated. */
  readonly leaves: boolean;
  /** False where it no longer moves the lock: the device restarted meanwhile, or the request only shunts. */
  readonly releases: boolean;
  readonly used: boolean;
  /** The contact can say that it was not used: it read closed all the time. */
  readonly verifiable: boolean;
  /** The release of somebody who leaves was acknowledged, or shown by the opening. */
  readonly confirmed: boolean;
  /** What became of the commands for a grant on the way out so far, where none was acknowledged. */
  readonly failure: CommandOutcome | undefined;
  /** Added to release and open time, for who needs longer. */
  readonly extraTimeMs: number;
  /** An exit of which only a failure is told. */
  readonly silent: boolean;
}

/** A passage that opened the door; instants on the monotonic clock. */
export interface Opening {
  readonly cause: number;
  readonly openedAtMs: number;
  readonly closedAtMs: number | undefined;
}

/**
 * What the lock should be told. `leased` and `until` end in the device by itself; `unlocked` stays, and is used only where
 * the site says that an unlock outlives the gateway.
 */
export type Wanted =
  | { readonly kind: 'locked' }
  | { readonly kind: 'leased'; readonly leaseMs: number }
  | { readonly kind: 'unlocked' }
  | { readonly kind: 'until'; readonly atMs: number };

export interface LockCommand {
  readonly token: number;
  readonly wanted: Wanted;
  readonly status: 'sent' | 'confirmed' | 'failed';
  /** When it is sent again if nothing changes; Infinity: never. */
  readonly againAtMs: number;
}

export interface LockState {
  readonly online: boolean;
  /** The newest command; undefined when the device knows nothing of us (start, reconnection). */
  readonly command: LockCommand | undefined;
  /** The permanent state under timed ones is surely `locked`. */
  readonly isBaseLocked: boolean;
  /** The command that makes it so, where one is on its way before a timed one. */
  readonly baseToken: number | undefined;
  readonly nextToken: number;
  /** A standing unlock that was acknowledged holds until then; Infinity where it outlives the gateway. */
  readonly unlockedUntilMs: number | undefined;
  /** The alarm that stands. */
  readonly unconfirmed: 'door.lock_unconfirmed' | 'door.unlock_unconfirmed' | undefined;
  /** The device reports the lock released while it was told to lock: what happens then is due at this instant. */
  readonly mismatchAtMs: number | undefined;
}

/** The outputs of a door. */
export const OUTPUT_ROLES = ['lock', 'shunt', 'doubleLock'] as const;
export type OutputRole = (typeof OUTPUT_ROLES)[number];
export type AuxiliaryRole = Exclude<OutputRole, 'lock'>;

/** An output beside the lock; energised it shunts, or is thrown. */
export interface AuxiliaryState {
  readonly online: boolean;
  /** The newest command; undefined when the device knows nothing of us. */
  readonly command: (Omit<LockCommand, 'wanted'> & { readonly energises: boolean }) | undefined;
  /** The permanent state under a lease is surely off. */
  readonly isBaseOff: boolean;
  readonly nextToken: number;
  /** Of a shunt: nothing speaks for it any more, and it is let go at this instant. */
  readonly releaseAtMs: number | undefined;
  /** `door.output_unconfirmed` stands. */
  readonly unconfirmed: boolean;
}

/** Alarms that are recorded and raise none, while a schedule of the site file is open. */
export interface Masks {
  readonly held: boolean;
  readonly forced: boolean;
}

export const UNMASKED: Masks = { held: false, forced: false };

export interface DoorState {
  readonly settings: DoorSettings;
  /** What schedule, orders, lockdown and fire ask for together; see `../site-mode`. */
  readonly standing: StandingMode;
  /** The last mode that was confirmed and announced; standing indication of the readers. */
  readonly announced: 'locked' | 'unlocked';
  /** Last known position. */
  readonly position: 'open' | 'closed' | 'unknown';
  /** The contact is in fault or out of reach: the door counts as not secure (access-control 4.0, rule 5). */
  readonly contactFault: boolean;
  readonly exit: Signal;
  /** The active request is not counted before this instant. */
  readonly exitIgnored: { readonly untilMs: number; readonly cause: number } | undefined;
  readonly grantedAtMs: number | undefined;
  readonly passages: readonly Passage[];
  /** Passages that opened the door, until it is closed and locked again. */
  readonly openings: readonly Opening[];
  readonly lock: LockState;
  readonly shunt: AuxiliaryState;
  readonly doubleLock: AuxiliaryState;
  readonly alarm: 'none' | 'forced' | 'heldWarning' | 'held';
  readonly masks: Masks;
  /** What stands and was masked when it began. */
  readonly masked: Masks;
  /** A break-in is over, and its alarm waits for a person. */
  readonly latched: boolean;
  /** A person has seen the forced alarm. */
  readonly acknowledged: boolean;
  /** Added to the open time while the door stands open for who needs longer. */
  readonly extraOpenTimeMs: number;
  /** The held timer runs from here. */
  readonly openSinceMs: number | undefined;
  readonly closedAtMs: number | undefined;
  /** The last opening had a cause, so bouncing after it is no break-in. */
  readonly wasOpenedRightly: boolean;
}

/** Known to be closed, and locked: what a door of an airlock waits for in the others. */
export const isSecure = ({ position, contactFault, lock }: DoorState): boolean =>
  position === 'closed' &&
  !contactFault &&
  lock.unconfirmed === undefined &&
  lock.command?.wanted.kind === 'locked' &&
  lock.command.status === 'confirmed';

/** An exit request that counts at this instant. */
export const isExitActive = ({ exit, exitIgnored }: DoorState): boolean =>
  exit === 'active' && exitIgnored === undefined;

export type DoorInput =
  /** A recorded grant, or an egress release of an exit reader. The output's answer comes with the same cause. */
  | {
      readonly kind: 'grant';
      readonly nowMs: number;
      readonly cause: number;
      readonly ttlMs: number;
      readonly extended?: boolean;
      /** It lets somebody out who may not be kept in. */
      readonly leaves?: boolean;
    }
  | { readonly kind: 'contact'; readonly nowMs: number; readonly signal: Signal }
  /** `cause` is fresh; it is used only where the signal begins an exit. */
  | { readonly kind: 'exitRequest'; readonly nowMs: number; readonly signal: Signal; readonly cause: number }
  | { readonly kind: 'mode'; readonly nowMs: number; readonly standing: StandingMode }
  /** A way out is asked for at a reader, without a decision; recorded after. */
  | { readonly kind: 'freeExit'; readonly nowMs: number; readonly cause: number }
  | { readonly kind: 'masks'; readonly nowMs: number; readonly masks: Masks }
  | {
      readonly kind: 'outputResult';
      readonly nowMs: number;
      readonly role: OutputRole;
      readonly token: number;
      readonly outcome: CommandOutcome;
    }
  /** What the device says of the lock's output. */
  | { readonly kind: 'outputReport'; readonly nowMs: number; readonly energised: boolean }
  /** The device that an output hangs on came or went. */
  | { readonly kind: 'outputDevice'; readonly nowMs: number; readonly role: OutputRole; readonly online: boolean }
  /** A new revision changed the door; what is physical stays as it is. */
  | { readonly kind: 'settings'; readonly nowMs: number; readonly settings: DoorSettings }
  /** Nobody watches it from now on. */
  | { readonly kind: 'retire'; readonly nowMs: number }
  | { readonly kind: 'acknowledge'; readonly nowMs: number }
  | { readonly kind: 'time'; readonly nowMs: number };

type DoorEventName =
  Extract<EventName, `${'door' | 'exit'}.${string}`> | 'access.used' | 'access.not_used' | 'access.unverified';
/** What is to be recorded; `cause` names the passage that it is an outcome of. */
export type DoorEvent = {
  [Name in DoorEventName]: { readonly kind: 'event'; readonly cause?: number } & Pick<
    EventOf<Name>,
    Extract<keyof EventOf<Name>, 'name' | 'code' | 'detail'>
  >;
}[DoorEventName];

export type DoorEffect =
  | {
      readonly kind: 'output';
      readonly role: OutputRole;
      /** By role. */
      readonly token: number;
      readonly action: OutputAction;
      readonly ttlMs: number;
      /** It leaves this long after the output before it; all outputs leave in their order. */
      readonly afterMs?: number;
      /** The grant that waits for this answer. */
      readonly cause?: number;
    }
  | DoorEvent
  /** After a passage the door is closed and locked again. */
  | { readonly kind: 'secured'; readonly cause: number; readonly openedAtMs: number; readonly closedAtMs: number }
  | { readonly kind: 'indicate'; readonly indication: Extract<Indication, 'locked' | 'unlocked' | 'heldOpen'> };

/** A step in the making: the machine's parts work on one draft, and `step` gives it out as immutable. */
export interface Draft {
  readonly state: { -readonly [Key in keyof DoorState]: DoorState[Key] };
  readonly effects: DoorEffect[];
  readonly nowMs: number;
}
