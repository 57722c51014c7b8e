import type { KeyState } from './operations.js';

/** What the state of a key asks of a person; a proven key asks for nothing. */
export const KEY_FINDINGS: Readonly<
  Partial<Record<KeyState, { readonly level: 'bad' | 'warn'; readonly text: string; readonly action: string }>>
> = {
  none: {
    level: 'warn',
    text: 'has no key yet and is not in service',
    action: 'Open a commissioning window and set its key while nobody else is on the line.',
  },
  changing: {
    level: 'warn',
    text: 'was sent a new key that it has not proven yet; the old and the new one are held',
    action: 'Wait until it answers. If it stays so, set its key again.',
  },
  lost: {
    level: 'bad',
    text: 'refuses every key that is held for it',
    action: 'Reset it to its factory state as its manual says, then set its key in a commissioning window.',
  },
};

/** Why a reader refuses commands (IEC 60839-11-5, table of NAK codes), as an installer can act on it. */
export const NAK_FINDINGS: Readonly<Record<number, NakText>> & { readonly other: NakText } = {
  1: {
    text: 'receives damaged commands',
    action: 'Check the termination, the cable and the ground wire on the way to it.',
  },
  2: refusing('finds the length of commands wrong'),
  3: refusing('does not know some commands'),
  4: {
    text: 'loses count of the commands',
    action: 'Check that no other device has its address, and that it does not restart.',
  },
  5: {
    text: 'refuses the secure session',
    action: 'See the state of its key; if that is proven, somebody may be on the line.',
  },
  6: {
    text: 'asks for the secure session that it should have',
    action: 'Check that it does not restart; if it does not, somebody may be on the line.',
  },
  other: refusing('refuses some commands'),
};

interface NakText {
  readonly text: string;
  readonly action: string;
}

function refusing(text: string): NakText {
  return { text, action: 'Compare what the site file asks of it with its manual; ask its maker for newer firmware.' };
}
