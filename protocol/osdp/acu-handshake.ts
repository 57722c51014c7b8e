import { noteIdentity } from './acu-identity.js';
import { commitKey, type KeyChoice, keyChoices } from './acu-keys.js';
import { beginSession, handshakeFailed, notice, restartSession, setStatus } from './acu-link.js';
import type { AcuDraft, AcuPhase } from './acu-state.js';
import { bytesEqual } from './bytes-equal.js';
import { knowsSecureChannel } from './capabilities.js';
import type { Command } from './commands.js';
import type { ReceivedFrame } from './frame.js';
import { bytesToHex } from './hex.js';
import type { OsdpErrorCode } from './error-codes.js';
import { NAK, nakMeaning } from './nak.js';
import type { Reply } from './replies.js';
import { SCS, type SecureSession } from './secure-channel.js';
import { clientCryptogram, initialRMac, KEY_SELECTION, serverCryptogram } from './session-keys.js';

/** What is asked as soon as a PD is online, so that the caller knows it. What it said before proves nothing. */
const AGENDA: readonly Command[] = [
  { name: 'ID', type: 0 },
  { name: 'CAP', type: 0 },
  { name: 'ISTAT' },
  { name: 'OSTAT' },
  { name: 'LSTAT' },
];

const SEQUENCE_REFUSALS_MAX = 3;

type Nak = Extract<Reply, { name: 'NAK' }>;

/** The answer to ID shows that somebody is there. It is not delivered: ID is asked again inside the session. */
export function probeAnswered(draft: AcuDraft, nowMs: number, { check }: ReceivedFrame, reply: Reply): void {
  draft.check = check;
  if (reply.name === 'PDID') noteIdentity(draft, 'pdid', `${reply.vendor} ${reply.model} ${reply.serial}`);
  if (draft.secureChannel.mode === 'clear') return clearProbeAnswered(draft, nowMs, reply);
  if (reply.name !== 'PDID' && reply.name !== 'NAK') return clearTextRefused(draft, nowMs, reply);
  draft.phase = { kind: 'challenge' };
  connecting(draft, nowMs);
}

/** An answer to ID that no codec understands is a sign of life all the same. */
export function probeAnsweredOddly(draft: AcuDraft, nowMs: number, { check }: ReceivedFrame): void {
  draft.check = check;
  notice(draft, 'its PDID is not as the standard says');
  draft.phase = draft.secureChannel.mode === 'clear' ? { kind: 'clear', sinceMs: nowMs } : { kind: 'challenge' };
  draft.pollAtMs = nowMs;
  connecting(draft, nowMs);
}

function clearProbeAnswered(draft: AcuDraft, nowMs: number, reply: Reply): void {
  if (reply.name === 'NAK' && reply.error === NAK.encryptionRequired) {
    return handshakeRefused(draft, nowMs, 'ERR_OSDP_SECURE_REQUIRED', 'the device refuses clear text');
  }
  draft.phase = { kind: 'clear', sinceMs: nowMs };
  draft.pollAtMs = nowMs;
  connecting(draft, nowMs);
}

function connecting(draft: AcuDraft, nowMs: number): void {
  draft.readyAtMs = nowMs;
  if (draft.troubles === 0) setStatus(draft, 'connecting');
}

/** The answer to CHLNG: SCS_12 with the cryptogram of a PD that has the key. */
export function challengeAnswered(
  draft: AcuDraft,
  nowMs: number,
  phase: Extract<AcuPhase, { kind: 'challenged' }>,
  frame: ReceivedFrame,
  reply: Reply,
): void {
  if (reply.name === 'NAK') return challengeRefused(draft, nowMs, reply);
  if (reply.name !== 'CCRYPT' || frame.securityBlock?.type !== SCS.clientCryptogram) {
    return clearTextRefused(draft, nowMs, reply);
  }
  const { choice, keys, rndA } = phase;
  if (!bytesEqual(reply.clientCryptogram, clientCryptogram(keys, rndA, reply.rndB))) {
    return keyRejected(draft, nowMs, 'the cryptogram of the device was made with another key');
  }
  noteIdentity(draft, 'cUID', bytesToHex(reply.cUID));
  draft.phase = { kind: 'cryptogram', choice, keys, serverCryptogram: serverCryptogram(keys, rndA, reply.rndB) };
  draft.readyAtMs = nowMs;
}

/** The answer to SCRYPT: SCS_14 with R-MAC_I, the first value of the chain. */
export function cryptogramAnswered(
  draft: AcuDraft,
  nowMs: number,
  phase: Extract<AcuPhase, { kind: 'cryptogram' }>,
  frame: ReceivedFrame,
  reply: Reply,
): void {
  if (reply.name === 'NAK') return challengeRefused(draft, nowMs, reply);
  if (reply.name !== 'RMAC_I' || frame.securityBlock?.type !== SCS.initialRMac) {
    return clearTextRefused(draft, nowMs, reply);
  }
  const chain = initialRMac(phase.keys, phase.serverCryptogram);
  if (frame.securityBlock.data[0] !== 0x01 || !bytesEqual(reply.rMac, chain)) {
    return keyRejected(draft, nowMs, 'the device refuses the cryptogram of the gateway');
  }
  sessionOpened(draft, nowMs, phase.choice, { keys: phase.keys, chain });
}

function sessionOpened(draft: AcuDraft, nowMs: number, choice: KeyChoice, session: SecureSession): void {
  const { secureChannel } = draft;
  const trusted = choice.selection === KEY_SELECTION.scbk;
  if (trusted) commitKey(draft, choice.scbk);
  if (!trusted && secureChannel.mode === 'install' && secureChannel.scbk !== undefined) {
    draft.phase = { kind: 'installing', session, scbk: secureChannel.scbk };
    draft.readyAtMs = nowMs;
    return;
  }
  draft.phase = { kind: 'secure', session, sinceMs: nowMs, trusted };
  goOnline(draft, nowMs);
}

/** NAK 4 is forgiven to a PD that has just restarted; to a handshake that begins at SQN 0 it is no honest answer for long. */
function challengeRefused(draft: AcuDraft, nowMs: number, { error }: Nak): void {
  if (error === NAK.sequence && draft.troubles < SEQUENCE_REFUSALS_MAX) {
    return restartSession(draft, nowMs, 'ERR_OSDP_RESTARTED');
  }
  const message = `the device answers NAK ${error}, ${nakMeaning(error)}`;
  const hasKeys = error === NAK.securityUnsupported || error === NAK.encryptionRequired;
  if (!hasKeys) return handshakeRefused(draft, nowMs, 'ERR_OSDP_SECURE_UNSUPPORTED', message);
  if (triesAgain(draft, nowMs)) return;
  if (error !== NAK.securityUnsupported) return handshakeFailed(draft, nowMs, 'ERR_OSDP_KEY_REJECTED', message);
  draft.phase = { kind: 'refused', message };
  draft.readyAtMs = nowMs;
}

/** What PDCAP says in clear proves nothing. It chooses between two reasons for being offline, and nothing else. */
export function refusalExplained(draft: AcuDraft, nowMs: number, message: string, reply: Reply | undefined): void {
  const lacking = reply?.name === 'PDCAP' && !knowsSecureChannel(reply.capabilities);
  handshakeFailed(draft, nowMs, lacking ? 'ERR_OSDP_SECURE_UNSUPPORTED' : 'ERR_OSDP_KEY_REJECTED', message);
}

function keyRejected(draft: AcuDraft, nowMs: number, message: string): void {
  if (!triesAgain(draft, nowMs)) handshakeFailed(draft, nowMs, 'ERR_OSDP_KEY_REJECTED', message);
}

/** Another key of the policy is tried at once; and all of them once more, since one refusal may be noise, or forged. */
function triesAgain(draft: AcuDraft, nowMs: number): boolean {
  const next = draft.keyIndex + 1;
  // A PD that took a key and does not use it would be given it for ever.
  if (next < keyChoices(draft.secureChannel).length && !draft.keyGiven) {
    draft.phase = { kind: 'challenge' };
    draft.keyIndex = next;
    draft.readyAtMs = nowMs;
    return true;
  }
  if (draft.refusedOnce) return false;
  draft.refusedOnce = true;
  restartSession(draft, nowMs, 'ERR_OSDP_RESTARTED');
  return true;
}

/** A refusal that has nothing to do with keys; the first may be noise, or forged. */
export function handshakeRefused(draft: AcuDraft, nowMs: number, reason: OsdpErrorCode, message: string): void {
  if (draft.refusedOnce) return handshakeFailed(draft, nowMs, reason, message);
  draft.refusedOnce = true;
  restartSession(draft, nowMs, 'ERR_OSDP_RESTARTED');
}

/** The answer to KEYSET under SCBK-D. */
export function keyAnswered(draft: AcuDraft, nowMs: number, reply: Reply | undefined): void {
  draft.exchange = undefined;
  if (reply?.name === 'ACK') {
    draft.keyGiven = true;
    return beginSession(draft, nowMs);
  }
  const answer = reply?.name === 'NAK' ? `NAK ${reply.error}, ${nakMeaning(reply.error)}` : 'what is no ACK';
  handshakeFailed(draft, nowMs, 'ERR_OSDP_NAK', `the device answers KEYSET by ${answer}`);
}

function clearTextRefused(draft: AcuDraft, nowMs: number, { name }: Reply): void {
  handshakeFailed(draft, nowMs, 'ERR_OSDP_CLEAR_REPLY', `${name} came in clear text`);
}

/** Under Secure Channel with the session; in clear with the first answer that is more than one to ID or a refusal. */
export function goOnline(draft: AcuDraft, nowMs: number): void {
  draft.agenda = AGENDA;
  draft.refusedOnce = false;
  draft.readyAtMs = nowMs;
  draft.pollAtMs = nowMs + draft.timings.pollIntervalMs;
  setStatus(draft, 'online');
}
