/** How far a wall time can be trusted (`synced`: a time source agrees; `holdover`: it did, and drift is bounded). */
export const TIME_QUALITIES = ['synced', 'holdover', 'unsynced', 'stepped'] as const;
export type TimeQuality = (typeof TIME_QUALITIES)[number];

export interface WallTime {
  /** Milliseconds since 1970-01-01T00:00Z, integer. */
  readonly unixMs: number;
  readonly quality: TimeQuality;
  /** Bound of the error of `unixMs`, either way. Absent: none that matters. */
  readonly errorMs?: number;
  /** An instant that has surely passed, where nobody vouches for `unixMs`. */
  readonly floorUnixMs?: number;
}

export interface Timer {
  /** Idempotent; the callback does not run afterwards. */
  cancel(): void;
}

/** The only source of time for the domain. Real in `platform/`, virtual in the simulator. */
export interface Clock {
  /** Milliseconds since an arbitrary start, never stepping, may have a fraction. */
  monotonicMs(): number;
  wall(): WallTime;
  /** Runs the callback once, not before `delayMs` have passed. */
  setTimer(delayMs: number, callback: () => void): Timer;
}

/** What a neighbour says of the time. Only what its own clock is worth: whoever goes by the time of its neighbours tells none of it. */
export interface NeighbourTime {
  readonly neighbour: string;
  /** Its wall time minus the own uptime (`TimeEvidence.uptimeMs`), in milliseconds. */
  readonly offsetMs: number;
  readonly quality: TimeQuality;
  /** Bound of the error of `offsetMs`: of its clock by its own word, and of the measurement. */
  readonly errorMs: number;
}

/** What a machine can tell of its clocks beside their readings. */
export interface TimeEvidence {
  /** Names this run of the machine, from its start to its end. Undefined where it cannot be told from another. */
  readonly bootId: string | undefined;
  /** Milliseconds since the machine started, those that it slept included. */
  uptimeMs(): number;
  /** When a time source set or confirmed the system's wall clock last, read from that clock. */
  confirmedUnixMs(): number | undefined;
  /** A clock with a battery of its own, in whole seconds or better. */
  hardwareUnixMs(): number | undefined;
}
