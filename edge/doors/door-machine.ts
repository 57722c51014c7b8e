import type { StandingMode } from '@sparc/protocol/policy';
import { alarmDueMs, checkAlarms, onContact, restartHeldTimer } from './contact.js';
import type { DoorSettings } from './door-settings.js';
import { standsOpen, type DoorEffect, type DoorInput, type DoorState, type Draft, type Signal } from './door-state.js';
import {
  checkMismatch,
  COMMAND_TTL_MS,
  control,
  NO_LOCK_COMMAND,
  onLockDevice,
  onOutputReport,
  onOutputResult,
  type Urgent,
} from './lock-control.js';
import { beginPassage, endsAtMs, expirePassages, settlePassages, withdrawGrants } from './passages.js';

/** A door as a gateway finds it after its start: nothing is known, and no temporary unlock comes back. */
export function createDoor(settings: DoorSettings): DoorState {
  return {
    settings,
    standing: 'locked',
    announced: 'locked',
    position: 'unknown',
    contactFault: false,
    exit: 'unknown',
    passages: [],
    lock: NO_LOCK_COMMAND,
    alarm: 'none',
    openSinceMs: undefined,
    closedAtMs: undefined,
    wasOpenedRightly: false,
  };
}

/**
 * One door: lock, contact and exit request. Every release ends in the device by itself, except an unlock of a
 * door that says `stayUnlocked`. Deadlines come before the input, so a late input meets the state of its own instant.
 */
export function step(
  before: DoorState,
  input: DoorInput,
): { readonly state: DoorState; readonly effects: readonly DoorEffect[] } {
  const draft: Draft = { state: { ...before }, effects: [], nowMs: input.nowMs };
  expirePassages(draft);
  checkAlarms(draft);
  const urgent = apply(draft, input);
  expirePassages(draft);
  checkAlarms(draft);
  checkMismatch(draft);
  control(draft, urgent);
  return { state: draft.state, effects: draft.effects };
}

function apply(draft: Draft, input: DoorInput): Urgent | undefined {
  switch (input.kind) {
    case 'grant':
      beginPassage(draft, 'access', input.cause, true);
      restartHeldTimer(draft);
      return { cause: input.cause, ttlMs: input.ttlMs };
    case 'contact':
      onContact(draft, input.signal);
      break;
    case 'exitRequest':
      return onExitRequest(draft, input.signal, input.cause);
    case 'freeExit':
      beginPassage(draft, 'exit', input.cause, true);
      return { ttlMs: COMMAND_TTL_MS };
    case 'mode':
      onMode(draft, input.standing);
      break;
    case 'outputResult':
      settlePassages(draft, input.token, input.outcome);
      onOutputResult(draft, input.token, input.outcome);
      break;
    case 'outputReport':
      onOutputReport(draft, input.energised);
      break;
    case 'lockDevice':
      onLockDevice(draft, input.online);
      break;
    case 'settings':
      onSettings(draft, input.settings);
      break;
    case 'time':
      break;
  }
  return undefined;
}

const isWiringFault = (signal: Signal): boolean => signal === 'short' || signal === 'open' || signal === 'fault';

function onExitRequest(draft: Draft, signal: Signal, cause: number): Urgent | undefined {
  const { state } = draft;
  const before = state.exit;
  if (signal === before) return undefined;
  state.exit = signal;
  const [wasFault, isFault] = [isWiringFault(before), isWiringFault(signal)];
  if (isFault && !wasFault) draft.effects.push({ kind: 'event', name: 'exit.fault', detail: { exitRequest: signal } });
  if (wasFault && !isFault && signal !== 'unknown') draft.effects.push({ kind: 'event', name: 'exit.restored' });
  if (signal !== 'active') return undefined;
  if (before === 'unknown') {
    // It releases, being held, but nobody was seen to press it (access-control 4.0, rule 7).
    draft.effects.push({ kind: 'event', name: 'exit.active_at_start' });
    return undefined;
  }
  const pending = state.passages.find((passage) => passage.kind === 'exit' && !passage.used);
  if (pending !== undefined) {
    const untilMs = draft.nowMs + state.settings.releaseTimeMs;
    state.passages = state.passages.map((passage) => (passage === pending ? { ...passage, untilMs } : passage));
    return undefined;
  }
  const releases = state.settings.exitRequest === 'releases';
  beginPassage(draft, 'exit', cause, releases);
  return releases ? { ttlMs: COMMAND_TTL_MS } : undefined;
}

function onMode(draft: Draft, standing: StandingMode): void {
  const { state } = draft;
  const before = state.standing;
  if (before === standing) return;
  state.standing = standing;
  // `locked` and `unlocked` are told when the lock has confirmed them.
  if (!isPlain(before) || !isPlain(standing)) {
    draft.effects.push({ kind: 'event', name: 'door.mode_changed', detail: { from: before, to: standing } });
  }
  if (standsOpen(standing)) {
    // An unlocked door may stand open (ONVIF DoorMode Unlocked masks the alarms); a raised alarm ends with its closing.
    state.openSinceMs = undefined;
    if (state.alarm === 'heldWarning') state.alarm = 'none';
  } else if (standsOpen(before)) {
    restartHeldTimer(draft);
  }
  // Who was let in a moment ago does not pass any more; who leaves does.
  if (!isPlain(standing) && !standsOpen(standing)) withdrawGrants(draft);
}

const isPlain = (standing: StandingMode): boolean => standing === 'locked' || standing === 'unlocked';

function onSettings(draft: Draft, settings: DoorSettings): void {
  const { state } = draft;
  const { lockType, onGatewayLoss } = state.settings;
  state.settings = settings;
  if (lockType === settings.lockType && onGatewayLoss === settings.onGatewayLoss) return;
  // Another action means the same state now, so the lock is told again.
  state.lock = { ...state.lock, command: undefined, isBaseLocked: false };
}

/** When the machine wants a `time` input, or undefined when nothing is due. */
export function nextDeadlineMs(state: DoorState): number | undefined {
  const { command, mismatchAtMs = Infinity } = state.lock;
  let dueMs = Math.min(alarmDueMs(state), mismatchAtMs, command?.againAtMs ?? Infinity);
  if (command?.wanted.kind === 'until') dueMs = Math.min(dueMs, command.wanted.atMs);
  for (const passage of state.passages) dueMs = Math.min(dueMs, endsAtMs(passage));
  return dueMs === Infinity ? undefined : dueMs;
}
