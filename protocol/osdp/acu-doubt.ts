import { alarm, beginSession, notice } from './acu-link.js';
import { sessionBroken } from './acu-online.js';
import { abandonExchange } from './acu-queue.js';
import { type AcuDraft, type Exchange, isSecure } from './acu-state.js';
import type { ReceivedFrame } from './frame.js';
import { NAK, nakMeaning } from './nak.js';
import type { Reply } from './replies.js';

/** Between two alarms about somebody who sends clear text in the name of the device: he may do so at each frame. */
const IMPOSTOR_ALARM_PAUSE_MS = 60_000;
/** By these an honest PD tells that it has no session. */
const LOSSES: readonly number[] = [NAK.sequence, NAK.securityUnsupported, NAK.encryptionRequired];

/**
 * Clear text inside a session proves nothing, so the frame goes out once more. A PD that has lost the session says so
 * again, which ends it. An answer under the session shows that somebody else has spoken, and the session goes on.
 */
export function clearTextInSession(
  draft: AcuDraft,
  nowMs: number,
  exchange: Exchange,
  { sequence }: ReceivedFrame,
  reply: Reply | undefined,
): void {
  if (exchange.command.name === 'KEYSET' && reply?.name === 'ACK') return keyAnsweredInClear(draft, nowMs);
  const what = reply === undefined ? 'a reply' : reply.name === 'NAK' ? `NAK ${reply.error}` : reply.name;
  if (exchange.doubted === undefined) {
    draft.exchange = { ...exchange, doubted: what };
    draft.readyAtMs = nowMs;
  } else if (reply?.name === 'NAK' && LOSSES.includes(reply.error)) {
    const message = `the device answers ${what}, ${nakMeaning(reply.error)}`;
    sessionBroken(draft, nowMs, 'ERR_OSDP_SECURE_LOST', message);
  } else if (sequence === 0) {
    sessionBroken(draft, nowMs, 'ERR_OSDP_SECURE_LOST', 'the device answers with SQN 0: it has started anew');
  } else {
    sessionBroken(draft, nowMs, 'ERR_OSDP_CLEAR_REPLY', `${what} came in clear text and was not used`);
  }
}

/** The doubted frame has its answer under the session. */
export function impostorHeard(draft: AcuDraft, nowMs: number, what: string): void {
  if (!isSecure(draft) || nowMs < draft.impostorAlarmAtMs + IMPOSTOR_ALARM_PAUSE_MS) return;
  draft.impostorAlarmAtMs = nowMs;
  alarm(draft, 'ERR_OSDP_CLEAR_REPLY', `${what} came in clear, and not from the device: it has the session`);
}

/** Some PDs leave the session before they acknowledge a key. Which key they have, the next handshake shows. */
function keyAnsweredInClear(draft: AcuDraft, nowMs: number): void {
  notice(draft, 'it acknowledges KEYSET in clear');
  if (draft.phase.kind === 'installing') draft.keyGiven = true;
  abandonExchange(draft, 'ERR_OSDP_CLEAR_REPLY');
  beginSession(draft, nowMs);
}
