import { standsOpen } from '@sparc/protocol/policy';
import type { CommandOutcome } from '@sparc/protocol/ports';
import { isExitActive, type AuxiliaryRole, type AuxiliaryState, type DoorState, type Draft } from './door-state.js';
import {
  COMMAND_ANSWER_MAX_MS,
  COMMAND_TTL_MS,
  EXIT_RETRY_MS,
  LEASE_MS,
  RENEWALS_PER_LEASE,
  wantedOf,
} from './lock-control.js';

/** An intrusion panel has to see the shunt before the door can move (access-control 4.6). */
const SHUNT_LEAD_MS = 5;
/** How long the shunt outlasts its reason: a leaf that has just closed still trembles (access-control 4.6). */
const SHUNT_OUTLASTS_MS = 1_000;

export const NO_AUXILIARY: AuxiliaryState = {
  online: false,
  command: undefined,
  isBaseOff: false,
  nextToken: 1,
  releaseAtMs: undefined,
  unconfirmed: false,
};

/**
 * Brings shunt and double lock to what the state asks for, ahead of the lock. Returns how long the lock waits for them, in
 * ms: an exit never waits for an answer.
 */
export function controlAuxiliaries(draft: Draft): number {
  const { state, nowMs } = draft;
  const { hasShunt, hasDoubleLock } = state.settings;
  if (hasDoubleLock) drive(draft, 'doubleLock', isThrown(state, nowMs));
  return hasShunt && drive(draft, 'shunt', keepsShunted(draft)) ? SHUNT_LEAD_MS : 0;
}

/** Only behind a closed door that is locked, and never before whom the lock is released for. */
const isThrown = (state: DoorState, nowMs: number): boolean =>
  state.standing === 'doubleLocked' &&
  (state.position === 'closed' || !state.settings.hasContact) &&
  wantedOf(state, nowMs).kind === 'locked';

function keepsShunted({ state, nowMs }: Draft): boolean {
  const releaseAtMs = mayStandOpen(state) ? undefined : (state.shunt.releaseAtMs ?? nowMs + SHUNT_OUTLASTS_MS);
  state.shunt = { ...state.shunt, releaseAtMs };
  return releaseAtMs === undefined || (state.shunt.command?.energises === true && nowMs < releaseAtMs);
}

/** An opening is, or would be, rightful; a door that is held too long is no longer. */
function mayStandOpen(state: DoorState): boolean {
  if (standsOpen(state.standing) || state.lock.unlockedUntilMs !== undefined || isExitActive(state)) return true;
  if (state.position !== 'open') return state.passages.length > 0;
  return state.wasOpenedRightly && state.alarm !== 'held';
}

/** Energised by leases, so that no gateway that dies leaves an alarm shunted or anybody behind a bolt. */
function drive(draft: Draft, role: AuxiliaryRole, wanted: boolean): boolean {
  const { nowMs } = draft;
  const before = draft.state[role];
  const { command, nextToken: token, online } = before;
  const energises = wanted && before.isBaseOff;
  const isDue = command === undefined ? online : command.energises !== energises || nowMs >= command.againAtMs;
  if (!isDue) return false;
  const action = energises ? ({ kind: 'onFor', durationMs: LEASE_MS } as const) : ({ kind: 'off' } as const);
  draft.effects.push({ kind: 'output', role, token, action, ttlMs: COMMAND_TTL_MS });
  const againAtMs = nowMs + (energises ? LEASE_MS / RENEWALS_PER_LEASE : COMMAND_ANSWER_MAX_MS);
  draft.state[role] = {
    ...before,
    nextToken: token + 1,
    command: { token, energises, status: 'sent', againAtMs },
  };
  return energises && command?.energises !== true;
}

export function onAuxiliaryResult(draft: Draft, role: AuxiliaryRole, token: number, outcome: CommandOutcome): void {
  const { state, nowMs } = draft;
  const { command } = state[role];
  if (command?.token !== token) return;
  if (outcome.kind === 'acknowledged') {
    const againAtMs = command.energises ? command.againAtMs : Infinity;
    const isBaseOff = state[role].isBaseOff || !command.energises;
    state[role] = {
      ...state[role],
      isBaseOff,
      unconfirmed: false,
      command: { ...command, status: 'confirmed', againAtMs },
    };
    return;
  }
  const againAtMs = state[role].online ? nowMs + EXIT_RETRY_MS : Infinity;
  if (!state[role].unconfirmed) {
    draft.effects.push({
      kind: 'event',
      name: 'door.output_unconfirmed',
      code: outcome.error.code,
      detail: { output: role },
    });
  }
  state[role] = { ...state[role], unconfirmed: true, command: { ...command, status: 'failed', againAtMs } };
}

/** After a reconnection the device is told anew. */
export function onAuxiliaryDevice({ state }: Draft, role: AuxiliaryRole, online: boolean): void {
  const { command } = state[role];
  if (state[role].online === online) return;
  state[role] = {
    ...state[role],
    online,
    command: online || command === undefined ? undefined : { ...command, againAtMs: Infinity },
  };
}

/** When an output beside the lock is due for a command; Infinity when none is. */
export function auxiliaryDueMs(state: DoorState): number {
  const { shunt, doubleLock } = state;
  const releaseAtMs = shunt.command?.energises === true ? shunt.releaseAtMs : undefined;
  return Math.min(
    releaseAtMs ?? Infinity,
    shunt.command?.againAtMs ?? Infinity,
    doubleLock.command?.againAtMs ?? Infinity,
  );
}
