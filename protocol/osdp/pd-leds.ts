import { LED_PERMANENT_CODE, LED_TEMPORARY_CODE, type LedRecord, TICK_MS } from './commands.js';
import type { PdDraft } from './pd-state.js';
import type { LedPattern } from './pd-types.js';

/** An LED: its permanent pattern, and a timed one laid over it. */
export interface LedState {
  readonly reader: number;
  readonly led: number;
  readonly permanent: LedPattern | undefined;
  readonly temporary: { readonly pattern: LedPattern; readonly untilMs: number } | undefined;
}

/** Before its first command an LED is dark. */
const DARK: LedPattern = { onColor: 0, offColor: 0, onMs: TICK_MS, offMs: 0 };

type Blinking = LedRecord['permanent'];

/** True for a record that no LED can obey: no such LED, or a pattern that lasts no time at all. */
export function ledProblem(leds: readonly LedState[], { reader, led, temporary, permanent }: LedRecord): boolean {
  const lasts = ({ onTicks, offTicks }: Blinking): boolean => onTicks + offTicks > 0;
  return (
    !leds.some((known) => known.reader === reader && known.led === led) ||
    (temporary.code === LED_TEMPORARY_CODE.set && !lasts(temporary)) ||
    (permanent.code === LED_PERMANENT_CODE.set && !lasts(permanent))
  );
}

export function controlLed(draft: PdDraft, nowMs: number, { reader, led, temporary, permanent }: LedRecord): void {
  updateLeds(draft, (known) => {
    if (known.reader !== reader || known.led !== led) return known;
    return {
      ...known,
      permanent: permanent.code === LED_PERMANENT_CODE.set ? patternOf(permanent) : known.permanent,
      temporary: temporaryOf(known, temporary, nowMs),
    };
  });
}

function temporaryOf(known: LedState, record: LedRecord['temporary'], nowMs: number): LedState['temporary'] {
  if (record.code === LED_TEMPORARY_CODE.cancel) return undefined;
  if (record.code !== LED_TEMPORARY_CODE.set) return known.temporary;
  return { pattern: patternOf(record), untilMs: nowMs + record.timerTicks * TICK_MS };
}

/** Ends timed patterns that are over. */
export function endTimedLeds(draft: PdDraft, nowMs: number): void {
  updateLeds(draft, (known) =>
    known.temporary !== undefined && known.temporary.untilMs <= nowMs ? { ...known, temporary: undefined } : known,
  );
}

const patternOf = ({ onColor, offColor, onTicks, offTicks }: Blinking): LedPattern => ({
  onColor,
  offColor,
  onMs: onTicks * TICK_MS,
  offMs: offTicks * TICK_MS,
});

function updateLeds(draft: PdDraft, update: (known: LedState) => LedState): void {
  draft.leds = draft.leds.map((before) => {
    const after = update(before);
    const { reader, led } = after;
    const pattern = shown(after);
    if (pattern !== shown(before)) {
      draft.effects.push({ kind: 'led', reader, led, pattern, temporary: after.temporary !== undefined });
    }
    return after;
  });
}

const shown = ({ temporary, permanent }: LedState): LedPattern => temporary?.pattern ?? permanent ?? DARK;
