import type { DecisionInputs } from '@sparc/protocol/events';
import type { WallTime } from '@sparc/protocol/ports';

export type RecordedTime = Pick<DecisionInputs, 'atUnixMs' | 'timeQuality' | 'clockErrorMs' | 'clockFloorUnixMs'>;

/** A time as the inputs of a decision keep it. */
export function recordedTime({ unixMs, quality, errorMs, floorUnixMs }: WallTime): RecordedTime {
  if (errorMs === undefined && floorUnixMs === undefined) return { atUnixMs: unixMs, timeQuality: quality };
  return {
    atUnixMs: unixMs,
    timeQuality: quality,
    ...(errorMs !== undefined && { clockErrorMs: errorMs }),
    ...(floorUnixMs !== undefined && { clockFloorUnixMs: floorUnixMs }),
  };
}

/** The time that a decision was made for. */
export function decisionTime({ atUnixMs, timeQuality, clockErrorMs, clockFloorUnixMs }: RecordedTime): WallTime {
  if (clockErrorMs === undefined && clockFloorUnixMs === undefined) return { unixMs: atUnixMs, quality: timeQuality };
  return {
    unixMs: atUnixMs,
    quality: timeQuality,
    ...(clockErrorMs !== undefined && { errorMs: clockErrorMs }),
    ...(clockFloorUnixMs !== undefined && { floorUnixMs: clockFloorUnixMs }),
  };
}
