import { standsOpen } from '@sparc/protocol/policy';
import { isExitActive, type DoorState, type Draft, type Masks, type Signal } from './door-state.js';
import { closeOpenings } from './openings.js';
import { doubtPassages, relockAfterClose, usePassage } from './passages.js';

/** A report of the contact; `active` is an open door. */
export function onContact(draft: Draft, signal: Signal): void {
  const { state } = draft;
  switch (signal) {
    case 'short':
    case 'open':
    case 'fault':
    case 'unknown':
      onFault(draft, signal);
      break;
    case 'active':
    case 'inactive': {
      const wasFault = state.contactFault;
      state.contactFault = false;
      if (wasFault) draft.effects.push({ kind: 'event', name: 'door.contact_restored' });
      if (signal === 'active' && state.position !== 'open') onOpened(draft, wasFault);
      if (signal === 'inactive' && state.position !== 'closed') onClosed(draft);
      break;
    }
  }
}

function onFault(draft: Draft, signal: Signal): void {
  const { state } = draft;
  doubtPassages(draft);
  // Before the first report there is nothing that could have been lost.
  if (state.contactFault || (signal === 'unknown' && state.position === 'unknown')) return;
  state.contactFault = true;
  draft.effects.push({ kind: 'event', name: 'door.contact_fault', detail: { contact: signal } });
}

function onOpened(draft: Draft, wasFault: boolean): void {
  const { state, nowMs } = draft;
  const isRightly = hasCause(state, nowMs);
  // Only what was seen closed can have been forced; a fault has raised its own alarm.
  const isForced = state.position === 'closed' && !wasFault && !isRightly && state.settings.forcedAlarm;
  state.position = 'open';
  state.extraOpenTimeMs = 0;
  state.wasOpenedRightly = isRightly;
  state.openSinceMs = standsOpen(state.standing) ? undefined : nowMs;
  draft.effects.push({ kind: 'event', name: 'door.opened' });
  usePassage(draft);
  // One break-in is one alarm, however the leaf bounces.
  if (isRightly && state.alarm === 'forced') endForced(draft);
  if (!isForced) state.masked = { ...state.masked, forced: false };
  else if (!state.masks.forced) raiseForced(draft);
  else if (state.alarm !== 'forced' && !state.masked.forced) {
    state.masked = { ...state.masked, forced: true };
    draft.effects.push({ kind: 'event', name: 'door.forced_masked' });
  }
}

function raiseForced(draft: Draft): void {
  const { state } = draft;
  state.masked = { ...state.masked, forced: false };
  if (state.alarm === 'forced') return;
  state.alarm = 'forced';
  state.latched = false;
  state.acknowledged = false;
  draft.effects.push({ kind: 'event', name: 'door.forced' });
}

/** The break-in is over. An alarm that waits for a person hides no other: the next one is raised as ever. */
function endForced({ state, effects }: Draft): void {
  state.alarm = 'none';
  state.latched = state.settings.forcedAlarmLatched && !state.acknowledged;
  if (!state.latched) effects.push({ kind: 'event', name: 'door.forced_clear' });
}

export function acknowledge({ state, effects }: Draft): void {
  state.acknowledged = true;
  if (state.latched) effects.push({ kind: 'event', name: 'door.forced_clear' });
  state.latched = false;
}

/** The end of a mask hides nothing: who broke in is still an alarm, and who holds the door open has its whole time anew. */
export function onMasks(draft: Draft, masks: Masks): void {
  const { state } = draft;
  const before = state.masks;
  if (before.held === masks.held && before.forced === masks.forced) return;
  state.masks = masks;
  if (masks.held) endWarning(draft);
  else if (before.held) restartHeldTimer(draft);
  if (before.forced && !masks.forced && state.masked.forced && state.position === 'open') raiseForced(draft);
}

/** What was about to be an alarm is none any more; an alarm that was raised ends with the closing of the door. */
export function endWarning({ state, effects }: Draft): void {
  if (state.alarm !== 'heldWarning') return;
  state.alarm = 'none';
  effects.push({ kind: 'indicate', indication: state.announced });
}

function hasCause(state: DoorState, nowMs: number): boolean {
  const isBounce =
    state.wasOpenedRightly &&
    state.closedAtMs !== undefined &&
    nowMs - state.closedAtMs < state.settings.bounceFilterMs;
  const isUnlocked = standsOpen(state.standing) || state.lock.unlockedUntilMs !== undefined;
  return isUnlocked || isExitActive(state) || state.passages.length > 0 || isBounce;
}

function onClosed(draft: Draft): void {
  const { state, nowMs } = draft;
  const wasOpen = state.position === 'open';
  state.position = 'closed';
  state.openSinceMs = undefined;
  if (!wasOpen) return;
  state.closedAtMs = nowMs;
  state.masked = { ...state.masked, held: false };
  closeOpenings(draft);
  relockAfterClose(draft);
  draft.effects.push({ kind: 'event', name: 'door.closed' });
  // A forced door has to stay closed for the time of the bounce filter; see `checkAlarms`.
  if (state.alarm === 'forced') return;
  if (state.alarm === 'held') draft.effects.push({ kind: 'event', name: 'door.held_clear' });
  if (state.alarm === 'held' || state.alarm === 'heldWarning') {
    draft.effects.push({ kind: 'indicate', indication: state.announced });
  }
  state.alarm = 'none';
}

/** Someone may rightly take longer: a new grant, or the end of an unlock. An alarm stays until the door closes. */
export function restartHeldTimer(draft: Draft): void {
  const { state, nowMs } = draft;
  if (state.position !== 'open' || standsOpen(state.standing)) return;
  state.openSinceMs = nowMs;
  state.masked = { ...state.masked, held: false };
  endWarning(draft);
}

/** When an alarm begins or ends by itself; Infinity when none does. */
export function alarmDueMs(state: DoorState): number {
  const { heldAlarm, preAlarmTimeMs, bounceFilterMs } = state.settings;
  const openTimeMs = state.settings.openTimeMs + state.extraOpenTimeMs;
  if (state.position === 'closed' && (state.masked.forced || state.alarm === 'forced')) {
    return (state.closedAtMs ?? 0) + bounceFilterMs;
  }
  if (!heldAlarm || state.openSinceMs === undefined) return Infinity;
  if (state.masks.held && state.alarm === 'none') {
    return state.masked.held ? Infinity : state.openSinceMs + openTimeMs;
  }
  if (state.alarm === 'heldWarning') return state.openSinceMs + openTimeMs;
  if (state.alarm !== 'none') return Infinity;
  return state.openSinceMs + openTimeMs - preAlarmTimeMs;
}

export function checkAlarms(draft: Draft): void {
  const { state, nowMs } = draft;
  while (nowMs >= alarmDueMs(state)) {
    if (state.masked.forced && state.position === 'closed') {
      state.masked = { ...state.masked, forced: false };
      continue;
    }
    if (state.alarm === 'forced') {
      endForced(draft);
      continue;
    }
    if (state.masks.held) {
      state.masked = { ...state.masked, held: true };
      draft.effects.push({ kind: 'event', name: 'door.held_masked' });
      continue;
    }
    const isWarning = state.alarm === 'none' && state.settings.preAlarmTimeMs > 0;
    state.alarm = isWarning ? 'heldWarning' : 'held';
    draft.effects.push({ kind: 'event', name: isWarning ? 'door.held_warning' : 'door.held' });
    draft.effects.push({ kind: 'indicate', indication: 'heldOpen' });
  }
}
