import type { PdEffect, PdInput, PdOptions } from './pd-types.js';

export interface PdState {
  readonly options: PdOptions;
}

export declare function createPd(options: PdOptions): PdState;
export declare function step(
  state: PdState,
  input: PdInput,
): { readonly state: PdState; readonly effects: readonly PdEffect[] };
/** When `time` must be given next: timed outputs and LEDs end, a session times out, bytes of half a frame go stale. */
export declare function nextTimeMs(state: PdState): number | undefined;
