import { CARD_DEBOUNCE_MS, PIN_LENGTH_MAX } from './field-defaults.js';

interface Card {
  readonly bitCount: number;
  readonly bits: Uint8Array;
}

/** One reader: the card that was last at it, and the PIN that is being typed for it. */
export interface PresentationState {
  readonly last: { readonly card: Card; readonly seenAtMs: number } | undefined;
  readonly pin: Typing | undefined;
}

interface Typing {
  readonly digits: string;
  readonly untilMs: number;
  /** No card waits for it: it says by itself who comes. */
  readonly isAlone: boolean;
}

export const NOBODY: PresentationState = { last: undefined, pin: undefined };

export type PresentationInput =
  | {
      readonly kind: 'card';
      readonly nowMs: number;
      readonly card: Card;
      /** The read is too old to be granted: it says nothing of what is at the reader now. */
      readonly isOld: boolean;
    }
  /** The PIN was refused: the same card may be tried again at once. */
  | { readonly kind: 'pinRefused'; readonly nowMs: number }
  /** The decision waits for a PIN. */
  | { readonly kind: 'pinWanted'; readonly nowMs: number; readonly timeoutMs: number }
  /** Digits, `#` to enter and `*` to begin again. */
  | {
      readonly kind: 'keys';
      readonly nowMs: number;
      readonly keys: string;
      /** How long a PIN without a card may take. Absent: none is taken here. */
      readonly aloneTimeoutMs?: number;
    }
  | { readonly kind: 'time'; readonly nowMs: number };

export type PresentationEffect =
  /** Decide on the card. */
  | { readonly kind: 'present' }
  /** Decide on the waiting card with this PIN. */
  | { readonly kind: 'enter'; readonly pin: string }
  /** Decide on whoever has this PIN. */
  | { readonly kind: 'enterAlone'; readonly pin: string }
  /** The waiting card is denied: no PIN came, or another card did. */
  | { readonly kind: 'abandon' };

export function step(
  state: PresentationState,
  input: PresentationInput,
): { readonly state: PresentationState; readonly effects: readonly PresentationEffect[] } {
  const { nowMs } = input;
  if (state.pin !== undefined && nowMs >= state.pin.untilMs) {
    const rest = step({ ...state, pin: undefined }, input);
    return state.pin.isAlone ? rest : { state: rest.state, effects: [{ kind: 'abandon' }, ...rest.effects] };
  }
  switch (input.kind) {
    case 'card':
      return input.isOld && state.pin === undefined
        ? { state, effects: [{ kind: 'present' }] }
        : onCard(state, input.card, nowMs);
    case 'pinRefused':
      return { state: NOBODY, effects: [] };
    case 'pinWanted':
      return {
        state: { ...state, pin: { digits: '', untilMs: nowMs + input.timeoutMs, isAlone: false } },
        effects: [],
      };
    case 'keys':
      return onKeys(state, input);
    case 'time':
      return { state, effects: [] };
  }
}

function onCard(state: PresentationState, card: Card, nowMs: number): ReturnType<typeof step> {
  const { last } = state;
  // Whoever shows a card does not go on typing without one.
  const pin = state.pin?.isAlone === true ? undefined : state.pin;
  const next: PresentationState = { pin, last: { card, seenAtMs: nowMs } };
  const isSame = last !== undefined && isSameCard(last.card, card);
  // A card whose PIN is awaited is the same presentation however long it stays.
  if (isSame && (pin !== undefined || nowMs - last.seenAtMs < CARD_DEBOUNCE_MS)) return { state: next, effects: [] };
  if (pin === undefined) return { state: next, effects: [{ kind: 'present' }] };
  return { state: { ...next, pin: undefined }, effects: [{ kind: 'abandon' }, { kind: 'present' }] };
}

function onKeys(
  state: PresentationState,
  input: Extract<PresentationInput, { kind: 'keys' }>,
): ReturnType<typeof step> {
  const { nowMs, keys, aloneTimeoutMs } = input;
  if (state.pin === undefined && aloneTimeoutMs === undefined) return { state, effects: [] };
  const { isAlone, untilMs, ...begun } = state.pin ?? {
    digits: '',
    isAlone: true,
    untilMs: nowMs + (aloneTimeoutMs ?? 0),
  };
  let { digits } = begun;
  for (const key of keys) {
    if (key === '#') {
      const done = { ...state, pin: undefined };
      if (!isAlone) return { state: done, effects: [{ kind: 'enter', pin: digits }] };
      return { state: done, effects: digits === '' ? [] : [{ kind: 'enterAlone', pin: digits }] };
    }
    // One digit more than any PIN has keeps an over-long one wrong.
    digits = key === '*' ? '' : (digits + key).slice(0, PIN_LENGTH_MAX + 1);
  }
  return { state: { ...state, pin: { digits, untilMs, isAlone } }, effects: [] };
}

function isSameCard(a: Card, b: Card): boolean {
  return (
    a.bitCount === b.bitCount && a.bits.length === b.bits.length && a.bits.every((byte, at) => byte === b.bits[at])
  );
}
