import { CARD_DEBOUNCE_MS, PIN_LENGTH_MAX } from './field-defaults.js';

interface Card {
  readonly bitCount: number;
  readonly bits: Uint8Array;
}

/** One reader: the card that was last at it, and the PIN that is being typed for it. */
export interface PresentationState {
  readonly last: { readonly card: Card; readonly seenAtMs: number } | undefined;
  readonly pin: { readonly digits: string; readonly untilMs: number } | undefined;
}

export const NOBODY: PresentationState = { last: undefined, pin: undefined };

export type PresentationInput =
  | { readonly kind: 'card'; readonly nowMs: number; readonly card: Card }
  /** The decision waits for a PIN. */
  | { readonly kind: 'pinWanted'; readonly nowMs: number; readonly timeoutMs: number }
  /** Digits, `#` to enter and `*` to begin again. */
  | { readonly kind: 'keys'; readonly nowMs: number; readonly keys: string }
  | { readonly kind: 'time'; readonly nowMs: number };

export type PresentationEffect =
  /** Decide on the card. */
  | { readonly kind: 'present' }
  /** Decide on the waiting card with this PIN. */
  | { readonly kind: 'enter'; readonly pin: string }
  /** The waiting card is denied: no PIN came, or another card did. */
  | { readonly kind: 'abandon' };

export function step(
  state: PresentationState,
  input: PresentationInput,
): { readonly state: PresentationState; readonly effects: readonly PresentationEffect[] } {
  const { nowMs } = input;
  if (state.pin !== undefined && nowMs >= state.pin.untilMs) {
    const rest = step({ ...state, pin: undefined }, input);
    return { state: rest.state, effects: [{ kind: 'abandon' }, ...rest.effects] };
  }
  switch (input.kind) {
    case 'card':
      return onCard(state, input.card, nowMs);
    case 'pinWanted':
      return { state: { ...state, pin: { digits: '', untilMs: nowMs + input.timeoutMs } }, effects: [] };
    case 'keys':
      return onKeys(state, input.keys);
    case 'time':
      return { state, effects: [] };
  }
}

function onCard(state: PresentationState, card: Card, nowMs: number): ReturnType<typeof step> {
  const { last, pin } = state;
  const next: PresentationState = { ...state, last: { card, seenAtMs: nowMs } };
  const isSame = last !== undefined && isSameCard(last.card, card);
  // A card whose PIN is awaited is the same presentation however long it stays.
  if (isSame && (pin !== undefined || nowMs - last.seenAtMs < CARD_DEBOUNCE_MS)) return { state: next, effects: [] };
  if (pin === undefined) return { state: next, effects: [{ kind: 'present' }] };
  return { state: { ...next, pin: undefined }, effects: [{ kind: 'abandon' }, { kind: 'present' }] };
}

function onKeys(state: PresentationState, keys: string): ReturnType<typeof step> {
  // Without a card that waits for it, what is typed means nothing.
  if (state.pin === undefined) return { state, effects: [] };
  let { digits } = state.pin;
  for (const key of keys) {
    // The same card may be tried again at once.
    if (key === '#') return { state: NOBODY, effects: [{ kind: 'enter', pin: digits }] };
    // One digit more than any PIN has keeps an over-long one wrong.
    digits = key === '*' ? '' : (digits + key).slice(0, PIN_LENGTH_MAX + 1);
  }
  return { state: { ...state, pin: { ...state.pin, digits } }, effects: [] };
}

function isSameCard(a: Card, b: Card): boolean {
  return (
    a.bitCount === b.bitCount && a.bits.length === b.bits.length && a.bits.every((byte, at) => byte === b.bits[at])
  );
}
