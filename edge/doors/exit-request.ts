import type { Draft, Signal } from './door-state.js';
import { COMMAND_TTL_MS, type Urgent } from './lock-control.js';
import { beginPassage } from './passages.js';

const isWiringFault = (signal: Signal): boolean => signal === 'short' || signal === 'open' || signal === 'fault';

/** A fault of the wiring is no request: it neither releases nor shunts (access-control 4.6). */
export function onExitRequest(draft: Draft, signal: Signal, cause: number): Urgent | undefined {
  const { state, nowMs } = draft;
  const before = state.exit;
  if (signal === before) return undefined;
  state.exit = signal;
  state.exitIgnored = undefined;
  const [wasFault, isFault] = [isWiringFault(before), isWiringFault(signal)];
  if (isFault && !wasFault) draft.effects.push({ kind: 'event', name: 'exit.fault', detail: { exitRequest: signal } });
  if (wasFault && !isFault && signal !== 'unknown') draft.effects.push({ kind: 'event', name: 'exit.restored' });
  if (signal !== 'active') return undefined;
  if (before === 'unknown') {
    // It releases, but nobody was seen to press it (access-control 4.0, rule 7).
    draft.effects.push({ kind: 'event', name: 'exit.active_at_start' });
    return state.settings.exitHoldsWhileActive ? undefined : beginExit(draft, cause, true);
  }
  const { grantedAtMs = -Infinity, closedAtMs = -Infinity, settings } = state;
  const untilMs = Math.max(grantedAtMs + settings.ignoreExitAfterGrantMs, closedAtMs + settings.ignoreExitAfterCloseMs);
  if (nowMs < untilMs) {
    state.exitIgnored = { untilMs, cause };
    return undefined;
  }
  return beginExit(draft, cause, settings.isExitQuiet);
}

/** Whoever came in set off the sensor; who is still there afterwards wants out, and is kept in no longer. */
export function endIgnoring(draft: Draft): Urgent | undefined {
  const { state, nowMs } = draft;
  const ignored = state.exitIgnored;
  if (ignored === undefined || nowMs < ignored.untilMs) return undefined;
  state.exitIgnored = undefined;
  return beginExit(draft, ignored.cause, state.settings.isExitQuiet);
}

function beginExit(draft: Draft, cause: number, silent: boolean): Urgent | undefined {
  const { state, nowMs } = draft;
  const releases = state.settings.exitRequest === 'releases';
  const pending = state.passages.find((passage) => passage.kind === 'exit' && !passage.used);
  if (pending === undefined) {
    beginPassage(draft, { kind: 'exit', cause, leaves: true, releases, silent });
  } else {
    const untilMs = nowMs + state.settings.releaseTimeMs;
    state.passages = state.passages.map((passage) => (passage === pending ? { ...passage, untilMs } : passage));
  }
  return releases && (pending === undefined || !state.settings.exitHoldsWhileActive)
    ? { ttlMs: COMMAND_TTL_MS }
    : undefined;
}
