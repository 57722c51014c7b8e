/** How far a wall time can be trusted (`synced`: a time source agrees; `holdover`: it did, and drift is bounded). */
export const TIME_QUALITIES = ['synced', 'holdover', 'unsynced', 'stepped'] as const;
export type TimeQuality = (typeof TIME_QUALITIES)[number];

export interface WallTime {
  /** Milliseconds since 1970-01-01T00:00Z, integer. */
  readonly unixMs: number;
  readonly quality: TimeQuality;
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
