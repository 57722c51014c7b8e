import { standsOpen } from '@sparc/protocol/policy';
import type { CommandOutcome, OutputAction } from '@sparc/protocol/ports';
import type { DoorSettings } from './door-settings.js';
import {
  isExitActive,
  type DoorState,
  type Draft,
  type LockCommand,
  type LockState,
  type Wanted,
} from './door-state.js';
import { withdrawGrants } from './passages.js';

/** A standing unlock ends by itself this long after the gateway's last word. */
export const LEASE_MS = 30_000;
/** An exit request that is held has a lease of its release time, and at least this. */
const EXIT_LEASE_MIN_MS = 3_000;
/** So many words fit into a lease that one lost frame relocks nothing. */
export const RENEWALS_PER_LEASE = 3;
/** A lock command that was not acknowledged is sent again after this. */
const LOCK_RETRY_MS = 2_000;
/** Leaving does not wait for the pace of locking. */
export const EXIT_RETRY_MS = 500;
/** How long a command may wait for the line; a release is never replayed late. */
export const COMMAND_TTL_MS = 2_000;
/** No answer of the bus at all within this counts as a failure. */
export const COMMAND_ANSWER_MAX_MS = 10_000;

export const NO_LOCK_COMMAND: LockState = {
  online: false,
  command: undefined,
  isBaseLocked: false,
  baseToken: undefined,
  nextToken: 1,
  unlockedUntilMs: undefined,
  unconfirmed: undefined,
  mismatchAtMs: undefined,
};

const isExitHeld = (state: DoorState): boolean =>
  isExitActive(state) && state.settings.exitRequest === 'releases' && state.settings.exitHoldsWhileActive;

/** A release that leaving depends on: it is repeated until it is acknowledged or its time is over. */
const isEgress = (state: DoorState): boolean =>
  isExitHeld(state) || state.passages.some((passage) => passage.leaves && passage.releases);

export function wantedOf(state: DoorState, nowMs: number): Wanted {
  if (standsOpen(state.standing)) return standingUnlock(state);
  if (isExitHeld(state)) return { kind: 'leased', leaseMs: Math.max(state.settings.releaseTimeMs, EXIT_LEASE_MIN_MS) };
  const ends = state.passages
    .filter((passage) => passage.releases && passage.untilMs > nowMs)
    .map((passage) => passage.untilMs);
  return ends.length === 0 ? { kind: 'locked' } : { kind: 'until', atMs: Math.max(...ends) };
}

/** Fire and `lockedOpen` are leases always: what outlives the gateway then is the hardware's matter. */
const standingUnlock = ({ settings, standing }: DoorState): Wanted =>
  settings.onGatewayLoss === 'stayUnlocked' && standing === 'unlocked'
    ? { kind: 'unlocked' }
    : { kind: 'leased', leaseMs: LEASE_MS };

/** A release that somebody waits for: a command leaves whatever the lock was told before. */
export interface Urgent {
  /** The grant that waits for the answer; none at an exit request. */
  readonly cause?: number;
  readonly ttlMs: number;
}

/** Brings the lock to what the state asks for, `afterMs` after what was sent before it in this step. */
export function control(draft: Draft, urgent: Urgent | undefined, afterMs: number): void {
  const { state, nowMs } = draft;
  const wanted = wantedOf(state, nowMs);
  if (urgent === undefined && !isDue(state.lock, wanted, nowMs)) return;
  if (isSilent(state.lock, nowMs)) raiseUnconfirmed(draft);
  const { lock } = state;
  let token = lock.nextToken;
  let baseToken = lock.baseToken;
  const ttlMs = urgent?.ttlMs ?? COMMAND_TTL_MS;
  if ((wanted.kind === 'leased' || wanted.kind === 'until') && !lock.isBaseLocked) {
    // A timed state falls back to the permanent one (osdp_OUT, codes 5 and 6), which an earlier run may have left unlocked.
    baseToken = token++;
    draft.effects.push({
      kind: 'output',
      role: 'lock',
      token: baseToken,
      action: actionOf(state.settings, { kind: 'locked' }, nowMs),
      ttlMs,
    });
  }
  draft.effects.push({
    kind: 'output',
    role: 'lock',
    token,
    action: actionOf(state.settings, wanted, nowMs),
    ttlMs,
    ...(afterMs > 0 && { afterMs }),
    ...(urgent?.cause !== undefined && { cause: urgent.cause }),
  });
  state.lock = {
    ...lock,
    baseToken,
    nextToken: token + 1,
    isBaseLocked: lock.isBaseLocked && wanted.kind !== 'unlocked',
    mismatchAtMs: undefined,
    command: { token, wanted, status: 'sent', againAtMs: nowMs + againAfterMs(wanted) },
  };
  state.passages = state.passages.map((passage) => (passage.token === undefined ? { ...passage, token } : passage));
}

/** The last command was not answered at all. */
const isSilent = ({ command }: LockState, nowMs: number): boolean =>
  command?.status === 'sent' && nowMs >= command.againAtMs;

function againAfterMs(wanted: Wanted): number {
  switch (wanted.kind) {
    case 'leased':
      return wanted.leaseMs / RENEWALS_PER_LEASE;
    case 'locked':
    case 'unlocked':
      return COMMAND_ANSWER_MAX_MS;
    case 'until':
      return Infinity;
  }
}

function isDue(lock: LockState, wanted: Wanted, nowMs: number): boolean {
  const { command } = lock;
  if (command === undefined) return lock.online || wanted.kind !== 'locked';
  if (command.wanted.kind !== wanted.kind) return true;
  const isLonger = wanted.kind === 'until' && command.wanted.kind === 'until' && wanted.atMs > command.wanted.atMs;
  const isOtherLease =
    wanted.kind === 'leased' && command.wanted.kind === 'leased' && wanted.leaseMs !== command.wanted.leaseMs;
  return isLonger || isOtherLease || nowMs >= command.againAtMs;
}

function actionOf({ lockType }: DoorSettings, wanted: Wanted, nowMs: number): OutputAction {
  const isFailSecure = lockType === 'failSecure';
  switch (wanted.kind) {
    case 'locked':
      return { kind: isFailSecure ? 'off' : 'on' };
    case 'unlocked':
      return { kind: isFailSecure ? 'on' : 'off' };
    case 'leased':
      return { kind: isFailSecure ? 'onFor' : 'offFor', durationMs: wanted.leaseMs };
    case 'until':
      return { kind: isFailSecure ? 'onFor' : 'offFor', durationMs: Math.max(1, Math.round(wanted.atMs - nowMs)) };
  }
}

/** The bus's answer to a command; an answer to one that a newer command replaced says nothing about the lock any more. */
export function onOutputResult(draft: Draft, token: number, outcome: CommandOutcome): void {
  const { state, nowMs } = draft;
  const { lock } = state;
  const isAcknowledged = outcome.kind === 'acknowledged';
  if (token === lock.baseToken) {
    state.lock = { ...lock, baseToken: undefined, isBaseLocked: lock.isBaseLocked || isAcknowledged };
  }
  if (lock.command?.token !== token) return;
  const command: LockCommand = isAcknowledged
    ? confirmed(state, lock.command, nowMs)
    : { ...lock.command, status: 'failed', againAtMs: failedAgainAtMs(state, lock.command, nowMs) };
  state.lock = { ...state.lock, command };
  switch (command.wanted.kind) {
    case 'locked':
      if (isAcknowledged) {
        state.lock = { ...state.lock, isBaseLocked: true, unlockedUntilMs: undefined, unconfirmed: undefined };
        announce(draft, 'locked');
      } else {
        raiseUnconfirmed(draft, outcome.error.code);
      }
      break;
    case 'leased':
    case 'unlocked':
      if (!isAcknowledged) {
        raiseUnconfirmed(draft, outcome.error.code);
      } else if (standsOpen(state.standing)) {
        const unlockedUntilMs = command.wanted.kind === 'leased' ? nowMs + command.wanted.leaseMs : Infinity;
        state.lock = { ...state.lock, unlockedUntilMs, unconfirmed: undefined };
        announce(draft, 'unlocked');
      }
      break;
    case 'until':
      break;
  }
}

function confirmed(state: DoorState, command: LockCommand, nowMs: number): LockCommand {
  if (command.wanted.kind === 'leased') return { ...command, status: 'confirmed' };
  // The device's timer began with the command: ends that moved with the acknowledgement are covered by it.
  const wanted = command.wanted.kind === 'until' ? wantedOf(state, nowMs) : command.wanted;
  const isUntil = wanted.kind === command.wanted.kind;
  return { ...command, ...(isUntil ? { wanted } : {}), status: 'confirmed', againAtMs: Infinity };
}

function failedAgainAtMs(state: DoorState, command: LockCommand, nowMs: number): number {
  if (isEgress(state)) return nowMs + EXIT_RETRY_MS;
  // A grant's release is not repeated, and an offline device is told on its return.
  if (command.wanted.kind === 'until' || !state.lock.online) return Infinity;
  return nowMs + LOCK_RETRY_MS;
}

function announce(draft: Draft, mode: 'locked' | 'unlocked'): void {
  if (draft.state.announced === mode) return;
  draft.state.announced = mode;
  draft.effects.push({ kind: 'event', name: mode === 'locked' ? 'door.locked' : 'door.unlocked' });
  draft.effects.push({ kind: 'indicate', indication: mode });
}

/** The device's timer has run out without another word that it took: nothing stands released by it any more. */
export function endUnlock(draft: Draft): void {
  const { state, nowMs } = draft;
  if (nowMs < (state.lock.unlockedUntilMs ?? Infinity)) return;
  state.lock = { ...state.lock, unlockedUntilMs: undefined };
  if (standsOpen(state.standing)) raiseUnconfirmed(draft);
}

/** The lock did not take its newest command; a standing unlock is an alarm once no earlier word holds it. */
function raiseUnconfirmed({ state, effects }: Draft, code?: string): void {
  const { lock, standing } = state;
  const unconfirmed = lock.command?.wanted.kind === 'locked' ? 'door.lock_unconfirmed' : 'door.unlock_unconfirmed';
  if (unconfirmed === 'door.unlock_unconfirmed' && (!standsOpen(standing) || lock.unlockedUntilMs !== undefined))
    return;
  if (lock.unconfirmed === unconfirmed) return;
  state.lock = { ...lock, unconfirmed };
  effects.push({ kind: 'event', name: unconfirmed, ...(code === undefined ? {} : { code }) });
}

/** A queued report can be older than the command, so a contradiction counts only when it lasts. */
export function onOutputReport(draft: Draft, energised: boolean): void {
  const { state, nowMs } = draft;
  const isReleased = energised === (state.settings.lockType === 'failSecure');
  const { command } = state.lock;
  const contradicts = isReleased && command?.wanted.kind === 'locked' && command.status === 'confirmed';
  state.lock = {
    ...state.lock,
    mismatchAtMs: contradicts ? (state.lock.mismatchAtMs ?? nowMs + LOCK_RETRY_MS) : undefined,
  };
}

/** Before `control`: a contradiction that lasted makes the lock unconfirmed and is answered with the command again. */
export function checkMismatch(draft: Draft): void {
  const { state, nowMs } = draft;
  const { mismatchAtMs, command } = state.lock;
  if (mismatchAtMs === undefined || command === undefined || nowMs < mismatchAtMs) return;
  raiseUnconfirmed(draft);
  state.lock = { ...state.lock, mismatchAtMs: undefined, command: { ...command, status: 'failed', againAtMs: nowMs } };
}

/**
 * After a reconnection the device is told anew: locked, unless its mode or a person on the way out holds it. A grant's
 * release does not come back, but one that is on its way right now is not undone either.
 */
export function onLockDevice(draft: Draft, online: boolean): void {
  const { state } = draft;
  if (state.lock.online === online) return;
  const { command } = state.lock;
  state.lock = { ...state.lock, online, isBaseLocked: false, mismatchAtMs: undefined };
  if (!online) {
    if (command !== undefined) state.lock = { ...state.lock, command: { ...command, againAtMs: Infinity } };
    return;
  }
  if (command?.status === 'sent' && command.wanted.kind !== 'locked') return;
  withdrawGrants(draft);
  state.lock = { ...state.lock, command: undefined, unlockedUntilMs: undefined };
}
