import { bytesEqual } from './bytes-equal.js';
import type { ReceivedFrame, SecurityBlock } from './frame.js';
import { NAK } from './nak.js';
import { nak } from './pd-answers.js';
import type { PdDraft } from './pd-state.js';
import type { Command } from './commands.js';
import type { Reply } from './replies.js';
import { SCS } from './secure-channel.js';
import {
  clientCryptogram,
  deriveSessionKeys,
  initialRMac,
  KEY_SELECTION,
  SCBK_DEFAULT,
  serverCryptogram,
} from './session-keys.js';

/** An answer in clear; the handshake's own answers carry a security block. */
export interface ClearAnswer {
  readonly reply: Reply;
  readonly securityBlock?: SecurityBlock;
}

/** CHLNG: SCS_12 with the cryptogram, NAK 5 where the PD has no such key (SIA OSDP v2.2, Annex D). */
export function answerChallenge(
  draft: PdDraft,
  frame: ReceivedFrame,
  { rndA }: Extract<Command, { name: 'CHLNG' }>,
  freshRndB: Uint8Array,
): ClearAnswer {
  const keySelection = frame.securityBlock?.type === SCS.challenge ? frame.securityBlock.data[0] : undefined;
  const scbk = keyFor(draft, keySelection);
  if (keySelection === undefined || scbk === undefined) return { reply: nak(NAK.securityUnsupported) };
  const before = draft.security;
  const again = before.kind === 'challenged' && before.keySelection === keySelection && bytesEqual(before.rndA, rndA);
  const { keys, rndB } = again ? before : { keys: deriveSessionKeys(scbk, rndA), rndB: freshRndB.slice(0, 8) };
  draft.security = { kind: 'challenged', keys, keySelection, rndA, rndB };
  return {
    reply: { name: 'CCRYPT', cUID: clientId(draft), rndB, clientCryptogram: clientCryptogram(keys, rndA, rndB) },
    securityBlock: { type: SCS.clientCryptogram, data: Uint8Array.of(keySelection) },
  };
}

/** SCRYPT: SCS_14 with R-MAC_I, which opens the session. A wrong cryptogram ends the attempt with status FF. */
export function answerCryptogram(
  draft: PdDraft,
  frame: ReceivedFrame,
  command: Extract<Command, { name: 'SCRYPT' }>,
): ClearAnswer {
  const { security } = draft;
  if (security.kind !== 'challenged') return { reply: nak(NAK.encryptionRequired) };
  if (frame.securityBlock?.type !== SCS.serverCryptogram) return { reply: nak(NAK.securityUnsupported) };
  const { keys, keySelection, rndA, rndB } = security;
  const expected = serverCryptogram(keys, rndA, rndB);
  if (!bytesEqual(expected, command.serverCryptogram)) {
    draft.security = { kind: 'none' };
    const rMac = new Uint8Array(16);
    return { reply: { name: 'RMAC_I', rMac }, securityBlock: { type: SCS.initialRMac, data: Uint8Array.of(0xff) } };
  }
  const rMac = initialRMac(keys, expected);
  draft.security = { kind: 'established', session: { keys, chain: rMac }, keySelection };
  draft.effects.push({ kind: 'session', secure: true });
  return { reply: { name: 'RMAC_I', rMac }, securityBlock: { type: SCS.initialRMac, data: Uint8Array.of(0x01) } };
}

export function endSession(draft: PdDraft): void {
  if (draft.security.kind === 'established') draft.effects.push({ kind: 'session', secure: false });
  draft.security = { kind: 'none' };
}

function keyFor(draft: PdDraft, keySelection: number | undefined): Uint8Array | undefined {
  if (keySelection === KEY_SELECTION.scbk) return draft.scbk;
  return keySelection === KEY_SELECTION.scbkDefault && draft.installMode ? SCBK_DEFAULT : undefined;
}

/** cUID, 8 bytes of free format: vendor, model and serial number. */
function clientId({ options: { id } }: PdDraft): Uint8Array {
  const vendor = Number.parseInt(id.vendor, 16);
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, vendor * 256 + id.model);
  view.setUint32(4, id.serial, true);
  return bytes;
}
