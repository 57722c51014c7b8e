import type { NeighbourTime } from '@sparc/protocol/ports';
import type { FrameTime } from './frames.js';

/** Of each neighbour. The one with the shortest round trip counts: on a busy line most pongs waited behind all else. */
export const MEASUREMENTS_KEPT = 8;
/** Uptime is read in steps of so much; and a clock that is slewed moves a little while the measurements are kept. */
const READING_ERROR_MS = 20;
/** 2^48 ms: no clock shows a later time. */
const UNIX_MS_MAX = 281_474_976_710_656;

interface Measurement {
  readonly offsetMs: number;
  readonly roundTripMs: number;
}

interface Told {
  readonly measurements: readonly Measurement[];
  readonly time: FrameTime;
}

/** How far the clocks of neighbours are from the own uptime. */
export class NeighbourTimes {
  readonly #told = new Map<string, Told>();

  constructor(private readonly uptimeMs: () => number) {}

  /** `time` was read at some instant of the round trip that ended now. What no clock can say is dropped. */
  take(neighbour: string, time: FrameTime, roundTripMs: number): void {
    const { unixMs, errorMs = 0 } = time;
    if (!(unixMs >= 0 && unixMs <= UNIX_MS_MAX && errorMs >= 0 && errorMs <= UNIX_MS_MAX)) return;
    const measurement = { offsetMs: unixMs + roundTripMs / 2 - this.uptimeMs(), roundTripMs };
    const before = this.#told.get(neighbour)?.measurements ?? [];
    // Where two round trips do not explain the difference, one of the clocks was set meanwhile.
    const same = before.filter(
      (each) => Math.abs(each.offsetMs - measurement.offsetMs) <= doubt(each) + doubt(measurement),
    );
    this.#told.set(neighbour, { measurements: [measurement, ...same].slice(0, MEASUREMENTS_KEPT), time });
  }

  forget(neighbour: string): void {
    this.#told.delete(neighbour);
  }

  all(): NeighbourTime[] {
    return [...this.#told].flatMap(
      ([
        neighbour,
        {
          measurements,
          time: { quality, errorMs = 0 },
        },
      ]) => {
        const [first, ...others] = measurements;
        if (first === undefined) return [];
        const best = others.reduce((least, each) => (each.roundTripMs < least.roundTripMs ? each : least), first);
        return [{ neighbour, offsetMs: best.offsetMs, quality, errorMs: errorMs + doubt(best) }];
      },
    );
  }
}

const doubt = ({ roundTripMs }: Measurement): number => roundTripMs / 2 + READING_ERROR_MS;
