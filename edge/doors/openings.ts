import { standsOpen } from '@sparc/protocol/policy';
import { isSecure, type Draft, type Passage } from './door-state.js';

/** More openings than this before the lock is locked once are not told one by one: the oldest goes untold. */
const OPENINGS_MAX = 8;

/** A passage opened the door. Where the lock stands released anyway it is not locked for that passage either. */
export function beginOpening({ state, nowMs }: Draft, { cause, silent }: Passage): void {
  if (silent || standsOpen(state.standing)) return;
  state.openings = [...state.openings, { cause, openedAtMs: nowMs, closedAtMs: undefined }].slice(-OPENINGS_MAX);
}

export function closeOpenings({ state, nowMs }: Draft): void {
  state.openings = state.openings.map((opening) => ({ ...opening, closedAtMs: opening.closedAtMs ?? nowMs }));
}

/** The other time of a passage: the door is closed and its lock has confirmed. */
export function endOpenings({ state, effects }: Draft): void {
  if (state.openings.length === 0) return;
  if (standsOpen(state.standing) || state.contactFault) state.openings = [];
  if (!isSecure(state)) return;
  for (const { cause, openedAtMs, closedAtMs } of state.openings) {
    if (closedAtMs !== undefined) effects.push({ kind: 'secured', cause, openedAtMs, closedAtMs });
  }
  state.openings = [];
}
