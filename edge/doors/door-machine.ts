import { type StandingMode, standsOpen } from '@sparc/protocol/policy';
import { auxiliaryDueMs, controlAuxiliaries, NO_AUXILIARY, onAuxiliaryDevice, onAuxiliaryResult } from './auxiliary.js';
import { acknowledge, alarmDueMs, checkAlarms, endWarning, onContact, onMasks, restartHeldTimer } from './contact.js';
import type { DoorSettings } from './door-settings.js';
import { UNMASKED, type DoorEffect, type DoorInput, type DoorState, type Draft } from './door-state.js';
import { endIgnoring, onExitRequest } from './exit-request.js';
import {
  checkMismatch,
  COMMAND_TTL_MS,
  control,
  endUnlock,
  NO_LOCK_COMMAND,
  onLockDevice,
  onOutputReport,
  onOutputResult,
  type Urgent,
} from './lock-control.js';
import { endOpenings } from './openings.js';
import { abandonGrants, beginPassage, endsAtMs, expirePassages, settlePassages, withdrawGrants } from './passages.js';

/** A door as a gateway finds it after its start: nothing is known, and no temporary unlock comes back. */
export function createDoor(settings: DoorSettings): DoorState {
  return {
    settings,
    standing: 'locked',
    announced: 'locked',
    position: 'unknown',
    contactFault: false,
    exit: 'unknown',
    exitIgnored: undefined,
    grantedAtMs: undefined,
    passages: [],
    openings: [],
    lock: NO_LOCK_COMMAND,
    shunt: NO_AUXILIARY,
    doubleLock: NO_AUXILIARY,
    alarm: 'none',
    masks: UNMASKED,
    masked: UNMASKED,
    latched: false,
    acknowledged: false,
    extraOpenTimeMs: 0,
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
  endUnlock(draft);
  expirePassages(draft);
  checkAlarms(draft);
  const ended = endIgnoring(draft);
  const urgent = apply(draft, input) ?? ended;
  expirePassages(draft);
  checkAlarms(draft);
  checkMismatch(draft);
  const afterMs = controlAuxiliaries(draft);
  control(draft, urgent, afterMs);
  endOpenings(draft);
  return { state: draft.state, effects: draft.effects };
}

function apply(draft: Draft, input: DoorInput): Urgent | undefined {
  switch (input.kind) {
    case 'grant':
      draft.state.grantedAtMs = input.nowMs;
      beginPassage(draft, {
        kind: 'access',
        cause: input.cause,
        leaves: input.leaves === true,
        releases: true,
        extended: input.extended === true,
      });
      if (draft.state.settings.grantRestartsHeldTimer) restartHeldTimer(draft);
      return { cause: input.cause, ttlMs: input.ttlMs };
    case 'contact':
      onContact(draft, input.signal);
      break;
    case 'exitRequest':
      return onExitRequest(draft, input.signal, input.cause);
    case 'freeExit':
      beginPassage(draft, { kind: 'exit', cause: input.cause, leaves: true, releases: true });
      return { ttlMs: COMMAND_TTL_MS };
    case 'mode':
      onMode(draft, input.standing);
      break;
    case 'masks':
      onMasks(draft, input.masks);
      break;
    case 'outputResult':
      if (input.role !== 'lock') {
        onAuxiliaryResult(draft, input.role, input.token, input.outcome);
        break;
      }
      settlePassages(draft, input.token, input.outcome);
      onOutputResult(draft, input.token, input.outcome);
      break;
    case 'outputReport':
      onOutputReport(draft, input.energised);
      break;
    case 'outputDevice':
      if (input.role === 'lock') onLockDevice(draft, input.online);
      else onAuxiliaryDevice(draft, input.role, input.online);
      break;
    case 'settings':
      onSettings(draft, input.settings);
      break;
    case 'retire':
      abandonGrants(draft);
      break;
    case 'acknowledge':
      acknowledge(draft);
      break;
    case 'time':
      break;
  }
  return undefined;
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
    endWarning(draft);
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
  const { command, mismatchAtMs = Infinity, unlockedUntilMs = Infinity } = state.lock;
  let dueMs = Math.min(
    alarmDueMs(state),
    mismatchAtMs,
    unlockedUntilMs,
    auxiliaryDueMs(state),
    command?.againAtMs ?? Infinity,
    state.exitIgnored?.untilMs ?? Infinity,
  );
  if (command?.wanted.kind === 'until') dueMs = Math.min(dueMs, command.wanted.atMs);
  for (const passage of state.passages) dueMs = Math.min(dueMs, endsAtMs(passage));
  return dueMs === Infinity ? undefined : dueMs;
}
