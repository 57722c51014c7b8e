import { goOnline, handshakeRefused } from './acu-handshake.js';
import { noteIdentity } from './acu-identity.js';
import { keepBothKeys } from './acu-keys.js';
import { alarm, beginSession, notice, restartSession } from './acu-link.js';
import { collectFragments, paceTransfer } from './acu-messages.js';
import { abandonExchange, requeueExchange, settle } from './acu-queue.js';
import { type AcuDraft, type Exchange, isSecure } from './acu-state.js';
import type { CommandOutcome } from './acu-types.js';
import { knowsCrc, receiveSize } from './capabilities.js';
import type { CodecError } from './codec-error.js';
import type { OsdpErrorCode } from './error-codes.js';
import { ADDRESS_MAX, type Sequence } from './frame.js';
import { NAK, nakMeaning } from './nak.js';
import type { Reply } from './replies.js';

type Nak = Extract<Reply, { name: 'NAK' }>;

/** A reply inside the session, authentic where the session is secure. */
export function applicationAnswered(draft: AcuDraft, nowMs: number, exchange: Exchange, reply: Reply): void {
  if (reply.name === 'NAK' && refusesSession(draft, reply)) return sessionRefused(draft, nowMs, exchange, reply);
  if (draft.status?.link !== 'online') goOnline(draft, nowMs);
  draft.exchange = undefined;
  draft.readyAtMs = nowMs;
  if (draft.crcClaim === 'trying') draft.crcClaim = 'none';
  if (exchange.command.name === 'POLL') pollAnswered(draft, nowMs, exchange, reply);
  if (reply.name !== 'ACK') {
    const { emptyPollMs } = draft;
    draft.effects.push({
      kind: 'reply',
      command: exchange.command,
      reply,
      secure: isSecure(draft),
      ageMaxMs: emptyPollMs === undefined ? Number.POSITIVE_INFINITY : nowMs - emptyPollMs,
    });
  }
  collectFragments(draft, nowMs, reply);
  if (exchange.entry !== undefined) {
    settle(draft, exchange.entry, outcomeOf(reply));
  }
  applyToSession(draft, nowMs, exchange, reply);
}

/** A reply of the session that no codec understands: the exchange is over, its effect not known. */
export function applicationAnswerUnreadable(
  draft: AcuDraft,
  nowMs: number,
  exchange: Exchange,
  error: CodecError,
): void {
  draft.exchange = undefined;
  draft.readyAtMs = nowMs;
  if (exchange.command.name === 'POLL') draft.pollAtMs = nowMs + draft.timings.pollIntervalMs;
  if (exchange.entry !== undefined) {
    settle(draft, exchange.entry, { kind: 'unknown', reason: error.code, detail: error.message });
  }
  if (exchange.command.name === 'KEYSET') keySent(draft, nowMs, exchange.command.key);
}

/**
 * The session ends here, and what was under way has an unknown effect. Losing Secure Channel is tamper, so it is told; in
 * clear there is nothing to lose. At a deadline it is the ACU that gives up: a busy PD is no tamper, and one that stays
 * silent is told of when it is offline.
 */
export function sessionBroken(draft: AcuDraft, nowMs: number, code: OsdpErrorCode, message: string): void {
  if (isSecure(draft) && code !== 'ERR_OSDP_DEADLINE') alarm(draft, code, message);
  const reason = isSecure(draft) ? code : 'ERR_OSDP_RESTARTED';
  abandonExchange(draft, reason);
  restartSession(draft, nowMs, reason);
}

function pollAnswered(draft: AcuDraft, nowMs: number, exchange: Exchange, reply: Reply): void {
  // A PD that had something to say may have more.
  draft.pollAtMs = reply.name === 'ACK' || reply.name === 'NAK' ? nowMs + draft.timings.pollIntervalMs : nowMs;
  if (reply.name === 'ACK') draft.emptyPollMs = exchange.firstSentMs;
}

/** Whatever the PD answers but a refusal, it may have the key: the next session shows which one it uses. */
function keySent(draft: AcuDraft, nowMs: number, key: Uint8Array): void {
  keepBothKeys(draft, key);
  beginSession(draft, nowMs);
}

function applyToSession(draft: AcuDraft, nowMs: number, { command }: Exchange, reply: Reply): void {
  if (command.name === 'KEYSET' && reply.name !== 'NAK' && reply.name !== 'BUSY') {
    return keySent(draft, nowMs, command.key);
  }
  switch (reply.name) {
    case 'PDID':
      return noteIdentity(draft, 'pdid', `${reply.vendor} ${reply.model} ${reply.serial}`);
    case 'PDCAP':
      draft.receiveSize = receiveSize(reply.capabilities);
      return claimsCrc(draft, knowsCrc(reply.capabilities));
    case 'FTSTAT':
      return paceTransfer(draft, nowMs, reply);
    case 'NAK':
      // Its SQN is used again: the number before it is the last that was answered.
      if (!draft.dialect.nakAdvancesSequence) draft.sequence = previousSequence(draft.sequence);
      return;
    case 'COM':
      if (command.name !== 'COMSET') return;
      if (reply.address <= ADDRESS_MAX) draft.address = reply.address;
      draft.effects.push({ kind: 'communication', address: draft.address, baudRate: reply.baudRate });
      return beginSession(draft, nowMs);
    default:
      return;
  }
}

const previousSequence = (sequence: Sequence | undefined): Sequence | undefined =>
  sequence === undefined || sequence === 0 ? undefined : ((((sequence + 1) % 3) + 1) as Sequence);

/** A PD that was found by a checksum is spoken to by CRC where it says that it knows it, until that proves wrong. */
function claimsCrc(draft: AcuDraft, claimed: boolean): void {
  if (draft.check === 'crc' || !claimed || draft.crcClaim === 'wrong') return;
  draft.check = 'crc';
  draft.crcClaim = 'trying';
}

/** The PD does not answer a CRC although it claims to know it: it is spoken to as it was found. True where that is so. */
export function crcClaimFailed(draft: AcuDraft, nowMs: number): boolean {
  if (draft.crcClaim !== 'trying') return false;
  notice(draft, 'it claims to know CRC and answers checksums alone');
  draft.crcClaim = 'wrong';
  draft.check = 'checksum';
  abandonExchange(draft, 'ERR_OSDP_RESTARTED');
  beginSession(draft, nowMs);
  return true;
}

/** Inside a session NAK 6 is a refusal like any other: who authenticates it has the session. */
const refusesSession = ({ phase }: AcuDraft, { error }: Nak): boolean =>
  error === NAK.sequence || (phase.kind === 'clear' && error === NAK.encryptionRequired);

/**
 * NAK 4 or 6: the PD and we disagree about sequence or session, so everything starts again at SQN 0. It did not execute
 * this frame; but of a frame that was repeated, an earlier copy may have been executed before the PD lost its memory.
 */
function sessionRefused(draft: AcuDraft, nowMs: number, exchange: Exchange, { error }: Nak): void {
  if (draft.phase.kind === 'clear' && error === NAK.encryptionRequired) {
    abandonExchange(draft, 'ERR_OSDP_SECURE_REQUIRED');
    return handshakeRefused(draft, nowMs, 'ERR_OSDP_SECURE_REQUIRED', 'the device refuses clear text');
  }
  if (exchange.attempts === 1) requeueExchange(draft);
  sessionBroken(draft, nowMs, 'ERR_OSDP_SECURE_LOST', `the device answers NAK ${error}, ${nakMeaning(error)}`);
}

function outcomeOf(reply: Reply): CommandOutcome {
  if (reply.name === 'BUSY') return { kind: 'notExecuted', reason: 'ERR_OSDP_BUSY' };
  if (reply.name !== 'NAK') return { kind: 'acknowledged', reply };
  const detail = `NAK ${reply.error}, ${nakMeaning(reply.error)}`;
  return { kind: 'notExecuted', reason: 'ERR_OSDP_NAK', detail };
}
