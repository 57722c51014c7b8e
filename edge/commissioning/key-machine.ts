import type { ErrorCode } from '@sparc/protocol/errors';
import type { KeyState } from './operations.js';

/** Keys of one device that are held; secrets. */
export interface HeldKeys {
  /** The device has shown that it has this one. */
  readonly current?: Uint8Array;
  /** It was sent, or is about to be, and is not proven. While both are held, either may be what the device has. */
  readonly next?: Uint8Array;
}

/** How the new key gets to the device: inside the session it has, or under SCBK-D while a person stands there. */
export type KeyPath = 'session' | 'install';

export interface DeviceKeyState {
  readonly held: HeldKeys;
  readonly phase:
    | { readonly kind: 'idle' }
    /** Nothing is sent before both keys are on disk (and in escrow). */
    | { readonly kind: 'holding'; readonly path: KeyPath; readonly before: HeldKeys }
    /** KEYSET is queued or under way inside the session. */
    | { readonly kind: 'sending' }
    /** The bus opens sessions under SCBK-D to send `next`. */
    | { readonly kind: 'installing' };
  /** The device refuses every key that is held. */
  readonly refused: boolean;
  /** Why the newest attempt will have changed nothing, if `current` turns out to be what the device has. */
  readonly trouble?: ErrorCode;
}

export type DeviceKeyInput =
  /** `fresh`: 16 random bytes; not used where a key waits for its proof already. */
  | { readonly kind: 'begin'; readonly path: KeyPath; readonly fresh: Uint8Array }
  | { readonly kind: 'held' }
  | { readonly kind: 'holdFailed' }
  /** KEYSET inside the session ended. `trouble`: it was not acknowledged. */
  | { readonly kind: 'sent'; readonly trouble?: ErrorCode }
  /** The device opened a session under this key. */
  | { readonly kind: 'proven'; readonly scbk: Uint8Array }
  | { readonly kind: 'refused' }
  /** The window ended, or nobody wants it any more. */
  | { readonly kind: 'stopped' };

export type DeviceKeyEffect =
  /** Both keys to disk and escrow, then `held` or `holdFailed`. */
  | { readonly kind: 'hold' }
  /** The one key that is left to disk and escrow; the device works whether or not it succeeds. */
  | { readonly kind: 'keep' }
  /** KEYSET of `next` inside the session, then `sent`. */
  | { readonly kind: 'send'; readonly scbk: Uint8Array }
  /** What the bus may use has changed: see `keysInUse`. */
  | { readonly kind: 'configure' }
  | { readonly kind: 'changed' }
  | { readonly kind: 'unchanged'; readonly trouble: ErrorCode }
  | { readonly kind: 'lost' };

export const keysAtStart = (held: HeldKeys): DeviceKeyState => ({ held, phase: { kind: 'idle' }, refused: false });

export function keyStateOf({ held, refused, phase }: DeviceKeyState): KeyState {
  if (refused) return 'lost';
  if (held.next !== undefined && phase.kind !== 'holding') return 'changing';
  return held.current === undefined ? 'none' : 'proven';
}

interface Step {
  readonly state: DeviceKeyState;
  readonly effects: readonly DeviceKeyEffect[];
}

const IDLE = { kind: 'idle' } as const;

/**
 * The keys of one device. A key is never dropped before the device has shown that it has another: whatever is lost on the
 * way, a power cut included, one of the keys that are held opens a session.
 */
export function stepDeviceKey(state: DeviceKeyState, input: DeviceKeyInput): Step {
  switch (input.kind) {
    case 'begin':
      return begin(state, input.path, input.fresh);
    case 'held':
      return held(state);
    case 'holdFailed':
      return state.phase.kind === 'holding' ? stopped(state) : stay(state);
    case 'sent':
      return sent(state, input.trouble);
    case 'proven':
      return proven(state, input.scbk);
    case 'refused':
      return refused(state);
    case 'stopped':
      return stopped(state);
  }
}

const stay = (state: DeviceKeyState): Step => ({ state, effects: [] });

function begin(state: DeviceKeyState, path: KeyPath, fresh: Uint8Array): Step {
  if (state.phase.kind !== 'idle') return stay(state);
  const { trouble: _before, ...rest } = state;
  // One that waits for its proof may be what the device has: a third key would lock out whoever has it.
  const next = state.held.next ?? fresh;
  const phase = { kind: 'holding', path, before: state.held } as const;
  return { state: { ...rest, held: { ...state.held, next }, phase }, effects: [{ kind: 'hold' }] };
}

function held(state: DeviceKeyState): Step {
  const { phase, held: keys } = state;
  if (phase.kind !== 'holding' || keys.next === undefined) return stay(state);
  if (phase.path === 'install') {
    return { state: { ...state, phase: { kind: 'installing' } }, effects: [{ kind: 'configure' }] };
  }
  return { state: { ...state, phase: { kind: 'sending' } }, effects: [{ kind: 'send', scbk: keys.next }] };
}

/** Acknowledged or not, the next session tells. A refusal can be forged, so it is not believed without one. */
function sent(state: DeviceKeyState, trouble: ErrorCode | undefined): Step {
  if (state.phase.kind !== 'sending') return stay(state);
  if (trouble === undefined) return { state: { ...state, phase: IDLE }, effects: [] };
  return { state: { ...state, phase: IDLE, trouble }, effects: [{ kind: 'configure' }] };
}

function proven(state: DeviceKeyState, scbk: Uint8Array): Step {
  const { held: keys, phase, trouble = 'ERR_OSDP_KEY_REJECTED' } = state;
  const { current, next } = keys;
  if (next !== undefined && phase.kind !== 'holding' && isSame(next, scbk)) {
    const effects: DeviceKeyEffect[] = [{ kind: 'keep' }, { kind: 'changed' }];
    return { state: { held: { current: next }, phase: IDLE, refused: false }, effects };
  }
  // Before KEYSET has ended, the key that it replaces proves nothing about it.
  if (next === undefined || phase.kind !== 'idle') return stay({ ...state, refused: false });
  if (current === undefined || !isSame(current, scbk)) return stay(state);
  const effects: DeviceKeyEffect[] = [{ kind: 'keep' }, { kind: 'unchanged', trouble }];
  return { state: { held: { current }, phase: IDLE, refused: false }, effects };
}

function refused(state: DeviceKeyState): Step {
  const { held: keys, phase } = state;
  const hasKeys = keys.current !== undefined || keys.next !== undefined;
  // What is refused while installing is SCBK-D: the device is not in its factory state (yet).
  if (state.refused || !hasKeys || phase.kind !== 'idle') return stay(state);
  return { state: { ...state, refused: true }, effects: [{ kind: 'lost' }] };
}

function stopped(state: DeviceKeyState): Step {
  switch (state.phase.kind) {
    // The deadline of KEYSET ends it, and then the next session tells.
    case 'sending':
    case 'idle':
      return stay(state);
    case 'holding':
      return { state: { ...state, held: state.phase.before, phase: IDLE }, effects: [{ kind: 'keep' }] };
    case 'installing':
      return { state: { ...state, phase: IDLE }, effects: [{ kind: 'configure' }] };
  }
}

/** Not a secret's way out: both are known to whoever compares. */
function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
