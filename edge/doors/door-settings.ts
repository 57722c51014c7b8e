import type { Door } from '@sparc/protocol/policy';

/** Defaults of a door's timings, with reasons. */
const DOOR_DEFAULTS = {
  /** Time to pull a door after the green light. */
  releaseTimeMs: 5_000,
  /** A wheelchair, a trolley, two people. */
  openTimeMs: 30_000,
  /** Long enough to hear the warning and let go. */
  preAlarmTimeMs: 10_000,
  /** As long again as a release commonly is, and more. */
  extendedTimeMs: 15_000,
  /** A leaf that bounces on its frame opens again within this time of closing. */
  bounceFilterMs: 3_000,
} as const;

/** Everything the door machine needs of a site file; durations in ms. */
export interface DoorSettings {
  readonly lockType: Door['lock']['type'];
  readonly hasContact: boolean;
  /** `shuntOnly`: the way out is opened by other means, the request only says that an opening is no break-in. */
  readonly exitRequest: 'none' | 'releases' | 'shuntOnly';
  /** Leaving is not recorded. */
  readonly isExitQuiet: boolean;
  readonly exitHoldsWhileActive: boolean;
  /** A request within this of a grant, or of the closing, counts only when it is still there afterwards. */
  readonly ignoreExitAfterGrantMs: number;
  readonly ignoreExitAfterCloseMs: number;
  readonly releaseTimeMs: number;
  /** Added to release and open time for who needs longer. */
  readonly extendedTimeMs: number;
  readonly openTimeMs: number;
  /** How long before the end of `openTimeMs` the warning comes; 0: no warning. */
  readonly preAlarmTimeMs: number;
  /** From opening to relocking (ONVIF DelayTimeBeforeRelock); undefined: the lock keeps to its release time. */
  readonly delayTimeBeforeRelockMs: number | undefined;
  /** From the closing after a passage to relocking; undefined: the lock keeps to its release time. */
  readonly relockAfterCloseMs: number | undefined;
  readonly bounceFilterMs: number;
  readonly heldAlarm: boolean;
  readonly forcedAlarm: boolean;
  readonly forcedAlarmLatched: boolean;
  readonly grantRestartsHeldTimer: boolean;
  readonly onGatewayLoss: Door['onGatewayLoss'];
  /** An output tells an intrusion panel that the door may open. */
  readonly hasShunt: boolean;
  /** An output throws a second bolt in mode `doubleLocked`. */
  readonly hasDoubleLock: boolean;
}

export function doorSettings(door: Door): DoorSettings {
  const timings = door.timings ?? {};
  const hasContact = door.contact !== undefined && door.contact !== null;
  const openTimeMs = timings.openTimeMs ?? DOOR_DEFAULTS.openTimeMs;
  const { exitRequest } = door;
  return {
    lockType: door.lock.type,
    hasContact,
    exitRequest: exitRequest === undefined ? 'none' : exitRequest.releases ? 'releases' : 'shuntOnly',
    isExitQuiet: exitRequest?.quiet === true,
    exitHoldsWhileActive: exitRequest?.holdsWhileActive !== false,
    ignoreExitAfterGrantMs: exitRequest?.ignoreAfterGrantMs ?? 0,
    ignoreExitAfterCloseMs: exitRequest?.ignoreAfterCloseMs ?? 0,
    extendedTimeMs: timings.extendedTimeMs ?? DOOR_DEFAULTS.extendedTimeMs,
    releaseTimeMs: timings.releaseTimeMs ?? DOOR_DEFAULTS.releaseTimeMs,
    openTimeMs,
    preAlarmTimeMs: timings.preAlarmTimeMs ?? Math.min(DOOR_DEFAULTS.preAlarmTimeMs, openTimeMs / 2),
    delayTimeBeforeRelockMs: timings.delayTimeBeforeRelockMs,
    relockAfterCloseMs: timings.relockAfterCloseMs,
    bounceFilterMs: timings.bounceFilterMs ?? DOOR_DEFAULTS.bounceFilterMs,
    heldAlarm: hasContact && door.heldAlarm !== false,
    forcedAlarm: hasContact && door.forcedAlarm !== false,
    forcedAlarmLatched: door.forcedAlarmLatched === true,
    grantRestartsHeldTimer: door.grantRestartsHeldTimer !== false,
    onGatewayLoss: door.onGatewayLoss,
    hasShunt: door.shunt !== undefined,
    hasDoubleLock: door.doubleLock !== undefined,
  };
}
