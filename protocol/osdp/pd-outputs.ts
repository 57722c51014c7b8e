import { OUTPUT_CODE, type OutputRecord, TICK_MS } from './commands.js';
import type { PdDraft } from './pd-state.js';

/** An output: its permanent state, and a timed one laid over it. */
export interface OutputState {
  readonly permanent: boolean;
  readonly temporary: { readonly active: boolean; readonly untilMs: number } | undefined;
}

export const isActive = ({ permanent, temporary }: OutputState): boolean => temporary?.active ?? permanent;

/** What a record is refused for, or undefined (SIA OSDP v2.2, "Output Control Command"). */
export function outputProblem(outputs: readonly OutputState[], { output, code, timerTicks }: OutputRecord): boolean {
  const timed = code === OUTPUT_CODE.temporaryOn || code === OUTPUT_CODE.temporaryOff;
  return output >= outputs.length || code > OUTPUT_CODE.temporaryOff || (timed && timerTicks === 0);
}

export function controlOutput(draft: PdDraft, nowMs: number, { output, code, timerTicks }: OutputRecord): void {
  const before = draft.outputs[output];
  if (before === undefined) return;
  const untilMs = nowMs + timerTicks * TICK_MS;
  setOutput(draft, output, controlled(before, code, untilMs));
}

function controlled(before: OutputState, code: number, untilMs: number): OutputState {
  switch (code) {
    case OUTPUT_CODE.permanentOff:
      return { permanent: false, temporary: undefined };
    case OUTPUT_CODE.permanentOn:
      return { permanent: true, temporary: undefined };
    case OUTPUT_CODE.permanentOffAfterTimer:
      return { ...before, permanent: false };
    case OUTPUT_CODE.permanentOnAfterTimer:
      return { ...before, permanent: true };
    case OUTPUT_CODE.temporaryOn:
      return { ...before, temporary: { active: true, untilMs } };
    case OUTPUT_CODE.temporaryOff:
      return { ...before, temporary: { active: false, untilMs } };
    default:
      return before;
  }
}

/** Ends timed states that are over. True where an output has changed by it. */
export function endTimedOutputs(draft: PdDraft, nowMs: number): boolean {
  const before = draft.outputs.map(isActive);
  draft.outputs.forEach((output, number) => {
    if (output.temporary !== undefined && output.temporary.untilMs <= nowMs) {
      setOutput(draft, number, { ...output, temporary: undefined });
    }
  });
  return draft.outputs.some((output, number) => isActive(output) !== before[number]);
}

function setOutput(draft: PdDraft, number: number, next: OutputState): void {
  const changed = draft.outputs.some((output, index) => index === number && isActive(output) !== isActive(next));
  draft.outputs = draft.outputs.with(number, next);
  if (changed) draft.effects.push({ kind: 'output', number, active: isActive(next) });
}
