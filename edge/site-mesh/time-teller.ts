import type { Clock, NeighbourTime, Timer, WallTime } from '@sparc/protocol/ports';
import type { TimesHeard } from '../clock/index.js';
import type { FrameTime } from '../mesh/index.js';

/** What neighbours say of the time changes as slowly as quartz drifts, but for a clock that is set. */
export const TIMES_INTERVAL_MS = 2_000;

/** The time, as the field has it and as neighbours tell it. */
export interface MeshTime {
  /** What the own clock is worth by itself; undefined where the field has not said it lately. */
  own(): FrameTime | undefined;
  /** What the gateway goes by: nobody knows the time where the field has not said it lately. */
  wall(): WallTime;
  /** Of the machine (`TimeEvidence.uptimeMs`). */
  uptimeMs(): number;
  /** For the field. */
  tell(heard: TimesHeard): void;
}

/** Tells the field what the neighbours say of the time, again and again. */
export class TimeTeller {
  #timer: Timer | undefined;

  constructor(
    private readonly deps: {
      readonly clock: Clock;
      readonly times: () => readonly NeighbourTime[];
      readonly othersCount: () => number;
      readonly time: MeshTime;
    },
  ) {}

  start(): void {
    const { clock, times, othersCount, time } = this.deps;
    this.#timer = clock.setTimer(TIMES_INTERVAL_MS, () => {
      const heard = { othersCount: othersCount(), times: times() };
      if (heard.times.length > 0) time.tell(heard);
      this.start();
    });
  }

  /** How far a neighbour's clock is before the own one by itself; undefined where one of them is not known. */
  aheadMs(neighbour: string): number | undefined {
    const { time, times } = this.deps;
    const own = time.own();
    const heard = times().find((each) => each.neighbour === neighbour);
    if (own === undefined || heard === undefined) return undefined;
    return Math.round(heard.offsetMs + time.uptimeMs() - own.unixMs);
  }

  stop(): void {
    this.#timer?.cancel();
  }
}
