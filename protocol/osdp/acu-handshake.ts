import { noteIdentity } from './acu-identity.js';
import { handshakeFailed, restartSession, setStatus } from './acu-link.js';
import type { AcuDraft, AcuPhase } from './acu-state.js';
import { bytesEqual } from './bytes-equal.js';
import type { Command } from './commands.js';
import type { ReceivedFrame } from './frame.js';
import { bytesToHex } from './hex.js';
import { NAK, nakMeaning } from './nak.js';
import type { Reply } from './replies.js';
import { SCS } from './secure-channel.js';
import { clientCryptogram, initialRMac, serverCryptogram } from './session-keys.js';

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

function clearProbeAnswered(draft: AcuDraft, nowMs: number, reply: Reply): void {
  if (reply.name === 'NAK' && reply.error === NAK.encryptionRequired) {
    return handshakeFailed(draft, nowMs, 'ERR_OSDP_SECURE_REQUIRED', 'the device refuses clear text');
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
  const { keys, rndA } = phase;
  if (!bytesEqual(reply.clientCryptogram, clientCryptogram(keys, rndA, reply.rndB))) {
    return keyRejected(draft, nowMs, 'the cryptogram of the device was made with another key');
  }
  noteIdentity(draft, 'cUID', bytesToHex(reply.cUID));
  draft.phase = { kind: 'cryptogram', keys, serverCryptogram: serverCryptogram(keys, rndA, reply.rndB) };
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
  draft.phase = { kind: 'secure', session: { keys: phase.keys, chain }, sinceMs: nowMs };
  goOnline(draft, nowMs);
}

/** NAK 4 is forgiven to a PD that has just restarted; to a handshake that begins at SQN 0 it is no honest answer for long. */
function challengeRefused(draft: AcuDraft, nowMs: number, { error }: Nak): void {
  if (error === NAK.sequence && draft.troubles < SEQUENCE_REFUSALS_MAX) {
    return restartSession(draft, nowMs, 'ERR_OSDP_RESTARTED');
  }
  switch (error) {
    case NAK.securityUnsupported:
    case NAK.encryptionRequired:
      return keyRejected(draft, nowMs, `the device answers NAK ${error}, ${nakMeaning(error)}`);
    default: {
      const message = `the device answers NAK ${error}, ${nakMeaning(error)}`;
      return handshakeFailed(draft, nowMs, 'ERR_OSDP_SECURE_UNSUPPORTED', message);
    }
  }
}

function keyRejected(draft: AcuDraft, nowMs: number, message: string): void {
  handshakeFailed(draft, nowMs, 'ERR_OSDP_KEY_REJECTED', message);
}

function clearTextRefused(draft: AcuDraft, nowMs: number, { name }: Reply): void {
  handshakeFailed(draft, nowMs, 'ERR_OSDP_CLEAR_REPLY', `${name} came in clear text`);
}

/** Under Secure Channel with the session; in clear with the first answer that is more than one to ID or a refusal. */
export function goOnline(draft: AcuDraft, nowMs: number): void {
  draft.agenda = AGENDA;
  draft.readyAtMs = nowMs;
  draft.pollAtMs = nowMs + draft.timings.pollIntervalMs;
  setStatus(draft, 'online');
}
