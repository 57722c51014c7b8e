import type { AcuDraft } from './acu-state.js';
import type { SecureChannelPolicy } from './acu-types.js';
import { assertStrongKey } from './key-strength.js';
import { KEY_SELECTION, SCBK_DEFAULT } from './session-keys.js';

/** A key that may open a session, and how CHLNG names it. */
export interface KeyChoice {
  readonly scbk: Uint8Array;
  readonly selection: (typeof KEY_SELECTION)[keyof typeof KEY_SELECTION];
}

/**
 * The keys that may open a session, in the order in which they are tried. In a commissioning window the PD's own key goes
 * first, since it may have it already: from a KEYSET whose ACK was lost, or from a window before.
 */
export function keyChoices(policy: SecureChannelPolicy): readonly KeyChoice[] {
  switch (policy.mode) {
    case 'required':
      return [policy.scbk, ...(policy.formerScbk === undefined ? [] : [policy.formerScbk])].map(own);
    case 'install':
      return [
        ...(policy.scbk === undefined ? [] : [own(policy.scbk)]),
        { scbk: SCBK_DEFAULT, selection: KEY_SELECTION.scbkDefault },
      ];
    case 'clear':
      return [];
  }
}

const own = (scbk: Uint8Array): KeyChoice => ({ scbk, selection: KEY_SELECTION.scbk });

/** @throws CodecError for a key that is not 16 bytes long, and for one that others can guess. */
export function assertStrongKeys(policy: SecureChannelPolicy): void {
  for (const { scbk, selection } of keyChoices(policy)) {
    if (selection === KEY_SELECTION.scbk) assertStrongKey(scbk);
  }
}

/** The PD has shown that it has this key: from now on it is the only one. Told once for each policy. */
export function commitKey(draft: AcuDraft, scbk: Uint8Array): void {
  draft.secureChannel = { mode: 'required', scbk };
  draft.keyIndex = 0;
  draft.keyGiven = false;
  if (!draft.keyProven) draft.effects.push({ kind: 'keyProven', scbk });
  draft.keyProven = true;
}

/** KEYSET went out inside a session: until the PD shows which key it has, it may be the new one or the old. */
export function keepBothKeys(draft: AcuDraft, scbk: Uint8Array): void {
  if (draft.secureChannel.mode !== 'required') return;
  draft.secureChannel = { mode: 'required', scbk, formerScbk: draft.secureChannel.scbk };
  draft.keyProven = false;
}
