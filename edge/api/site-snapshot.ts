import type { ErrorCode } from '@sparc/protocol/errors';
import type { StandingMode } from '@sparc/protocol/policy';
import type { Indication, TimeQuality } from '@sparc/protocol/ports';

/** The state of a site as people look at it: plain data, no secret, small enough to be sent whole on every change. */
export interface SiteSnapshot {
  /** Undefined while no plan is known. */
  readonly site?: { readonly id: string; readonly name: string; readonly timeZone: string };
  readonly gateway: { readonly name: string; readonly startedAtUnixMs: number; readonly publicKey: string };
  /** Undefined under `no_policy`. */
  readonly policy?: {
    readonly revision: string;
    readonly appliedAtUnixMs: number;
    /** When its authority confirmed it last, at the latest. */
    readonly confirmedAtUnixMs: number;
  };
  /** How far the policy is that the authority of the site signs, as the field knows it. */
  readonly policyLane: {
    readonly inForce?: { readonly number: number; readonly issuedUnixMs: number };
    /** The newest revision that was refused since one came into force; without a number, not even that can be read. */
    readonly rejected?: { readonly number?: number; readonly code: ErrorCode };
  };
  /** `errorMs`: bound of its error, where it matters. `aheadMs`: of the machine's clock, by which people sign. */
  readonly clock: { readonly quality: TimeQuality; readonly errorMs?: number; readonly aheadMs?: number };
  /** The newest revocation that this gateway applied, and when; 0 before the first. */
  readonly revocation: { readonly number: number; readonly appliedAtUnixMs?: number };
  readonly mode: {
    /** Of the whole site, as the level is. */
    readonly lockdown: boolean;
    readonly threatLevel: number;
    /** Ids of fire inputs, and `evacuation`; latched until a person ends them. */
    readonly fires: readonly string[];
    /** All that stands until a release names it, oldest first. */
    readonly raises: readonly RaiseSnapshot[];
  };
  readonly doors: readonly DoorSnapshot[];
  readonly readers: readonly ReaderSnapshot[];
  readonly buses: readonly BusSnapshot[];
  readonly journal: { readonly healthy: boolean; readonly lastEntry?: string };
  /** Ids of linkage rules that tripped a limit and do nothing at the moment. */
  readonly suspendedRules: readonly string[];
  /** Public keys, in hex, of gateways whose logs are not read here to their end: what they say last is not known. */
  readonly unread: readonly string[];
  /** Records that wait for a journal that failed. */
  readonly lateRecordsCount: number;
}

export interface RaiseSnapshot {
  /** As releases name it. */
  readonly id: string;
  readonly what: 'lockdown' | 'threat' | 'evacuation' | 'fire';
  readonly by: string;
  readonly atUnixMs: number;
  /** Of a threat. */
  readonly level?: number;
  /** Ids of areas and doors; absent: the site. */
  readonly scope?: readonly string[];
  /** Of a fire. */
  readonly input?: string;
  /** Public key of the other gateway that raised it, in hex. Absent: an operator, or this gateway. */
  readonly gateway?: string;
}

export interface DoorSnapshot {
  readonly id: string;
  readonly name: string;
  /** `released`: for one passage. The others as ONVIF DoorMode; `locked` and `unlocked` once the lock confirmed them. */
  readonly mode: StandingMode | 'released';
  /** When what a person ordered for it ends by itself, where the order says so. */
  readonly orderedUntilUnixMs?: number;
  readonly physical: 'open' | 'closed' | 'unknown' | 'fault';
  readonly alarm: 'none' | 'forced' | 'held' | 'heldWarning';
  /** Stable codes or event names of standing warnings. */
  readonly warnings: readonly string[];
}

export interface ReaderSnapshot {
  readonly id: string;
  readonly name: string;
  readonly deviceId: string;
  readonly accessPointId: string;
  readonly direction: 'entry' | 'exit';
  readonly doorId: string;
  readonly link: 'offline' | 'connecting' | 'online';
  readonly secure: boolean;
  readonly tampered: boolean;
  readonly indication?: Indication;
  readonly reason?: ErrorCode;
}

export interface BusSnapshot {
  readonly id: string;
  readonly up: boolean;
  readonly error?: { readonly code: ErrorCode; readonly message: string };
}
