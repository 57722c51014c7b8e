import { OUTPUT_CODE, TICK_MS, type OutputRecord } from '@sparc/protocol/osdp';
import type { OutputAction } from '@sparc/protocol/ports';

const TIMER_TICKS_MAX = 0xffff;

/**
 * The OUT record for an action. `off` and `on` abort a timed state; timed ones fall back inside the device, rounded up
 * to a tick of 100 ms and bounded to 65,535 ticks (109 minutes). A timer of 0 is undefined in the standard, never sent.
 */
export function outputRecord(output: number, action: OutputAction): OutputRecord {
  switch (action.kind) {
    case 'off':
      return { output, code: OUTPUT_CODE.permanentOff, timerTicks: 0 };
    case 'on':
      return { output, code: OUTPUT_CODE.permanentOn, timerTicks: 0 };
    case 'onFor':
      return { output, code: OUTPUT_CODE.temporaryOn, timerTicks: timerTicks(action.durationMs) };
    case 'offFor':
      return { output, code: OUTPUT_CODE.temporaryOff, timerTicks: timerTicks(action.durationMs) };
  }
}

function timerTicks(durationMs: number): number {
  return Math.min(Math.max(Math.ceil(durationMs / TICK_MS), 1), TIMER_TICKS_MAX);
}
