import { clearTextInSession, impostorHeard } from './acu-doubt.js';
import {
  challengeAnswered,
  cryptogramAnswered,
  keyAnswered,
  probeAnswered,
  probeAnsweredOddly,
  refusalExplained,
} from './acu-handshake.js';
import {
  closeWindow,
  configure,
  endTurn,
  goDown,
  goOffline,
  handshakeFailed,
  notice,
  probeUnanswered,
} from './acu-link.js';
import { applicationAnswered, applicationAnswerUnreadable, crcClaimFailed, sessionBroken } from './acu-online.js';
import { enqueue, expireWaiting } from './acu-queue.js';
import { type AcuDraft, type AcuState, type Exchange, justAfter, nextTurnAtMs } from './acu-state.js';
import { repeat, transmitNext } from './acu-transmit.js';
import type { AcuEffect, AcuInput } from './acu-types.js';
import { bytesEqual } from './bytes-equal.js';
import { decodeFrame, type ReceivedFrame } from './frame.js';
import { NAK } from './nak.js';
import { decodeReply, type Reply } from './replies.js';
import { open } from './secure-channel.js';

export { createAcu, hasNormal, hasUrgent, nextTurnAtMs, type AcuState } from './acu-state.js';

/** Repeats that follow at once; later ones leave pauses, so that a silent PD does not stall its bus. */
const PROMPT_ATTEMPTS = 3;
/** After the prompt attempts; then twice as long each time, up to the longest. */
const REPEAT_PAUSE_MS = 50;
const REPEAT_PAUSE_MAX_MS = 1_000;
const PDID_CODE = 0x45;

/** One step of the ACU's side of a PD. Pure: the same state and input give the same result. */
export function step(
  state: AcuState,
  input: AcuInput,
): { readonly state: AcuState; readonly effects: readonly AcuEffect[] } {
  const draft: AcuDraft = { ...state, effects: [] };
  act(draft, input);
  const { effects, ...next } = draft;
  return { state: next, effects };
}

function act(draft: AcuDraft, input: AcuInput): void {
  if (windowEnded(draft, input.nowMs)) closeWindow(draft, input.nowMs);
  switch (input.kind) {
    case 'turn':
      return takeTurn(draft, input.nowMs, input.rndA);
    case 'frame':
      return receive(draft, input.nowMs, input.bytes);
    case 'replyTimeout':
      return replyMissed(draft, input.nowMs, input.garbled ?? false);
    case 'enqueue':
      return enqueue(draft, input);
    case 'lineDown':
      return goDown(draft);
    case 'configure':
      return configure(draft, input);
  }
}

const windowEnded = ({ secureChannel, phase }: AcuDraft, nowMs: number): boolean =>
  secureChannel.mode === 'install' && nowMs >= secureChannel.untilMs && phase.kind !== 'closed';

function takeTurn(draft: AcuDraft, nowMs: number, rndA: Uint8Array): void {
  draft.inTurn = true;
  expireWaiting(draft, nowMs);
  giveUpLateCommand(draft, nowMs);
  if (nowMs < nextTurnAtMs(draft)) return endTurn(draft);
  if (draft.exchange !== undefined) repeat(draft, draft.exchange, draft.exchange.misses >= PROMPT_ATTEMPTS);
  else transmitNext(draft, nowMs, rndA);
}

/** A frame may not be repeated after its command's deadline, nor its sequence number reused: the session starts anew. */
function giveUpLateCommand(draft: AcuDraft, nowMs: number): void {
  const deadlineMs = draft.exchange?.entry?.deadlineMs;
  if (deadlineMs === undefined || nowMs <= deadlineMs) return;
  sessionBroken(draft, nowMs, 'ERR_OSDP_DEADLINE', 'a command was not answered before its deadline');
}

function replyMissed(draft: AcuDraft, nowMs: number, garbled: boolean): void {
  const { exchange } = draft;
  if (exchange !== undefined) {
    if (draft.phase.kind === 'probe') probeUnanswered(draft, nowMs, garbled);
    else if (draft.phase.kind === 'refused') refusalExplained(draft, nowMs, draft.phase.message, undefined);
    else if (nowMs - draft.lastValidMs >= draft.timings.offlineAfterMs) {
      goOffline(draft, nowMs, garbled ? 'ERR_OSDP_GARBLED' : 'ERR_OSDP_SILENT');
    } else missed(draft, nowMs, exchange);
  }
  endTurn(draft);
}

function missed(draft: AcuDraft, nowMs: number, exchange: Exchange): void {
  const misses = exchange.misses + 1;
  draft.exchange = { ...exchange, misses };
  if (misses < PROMPT_ATTEMPTS) return repeatAfter(draft, nowMs, 0);
  if (crcClaimFailed(draft, nowMs)) return;
  const pauseMs = Math.min(REPEAT_PAUSE_MS * 2 ** (misses - PROMPT_ATTEMPTS), REPEAT_PAUSE_MAX_MS);
  repeatAfter(draft, nowMs, Math.min(pauseMs, draft.lastValidMs + draft.timings.offlineAfterMs - nowMs));
}

/** The exchange stays open: its frame goes out again after a pause, or its command is given up at its deadline. */
function repeatAfter(draft: AcuDraft, nowMs: number, pauseMs: number): void {
  const deadlineMs = draft.exchange?.entry?.deadlineMs ?? Number.POSITIVE_INFINITY;
  draft.readyAtMs = Math.max(nowMs, Math.min(nowMs + pauseMs, justAfter(deadlineMs)));
}

/**
 * A frame from the line. What does not answer the exchange is passed over without a word, and the wait goes on: a late
 * duplicate, another PD, noise. A late answer to an earlier copy of the same frame is an answer.
 */
function receive(draft: AcuDraft, nowMs: number, bytes: Uint8Array): void {
  const { exchange } = draft;
  const received = decodeFrame(bytes);
  if (exchange === undefined || !received.ok) return;
  const frame = received.value;
  if (!frame.reply || frame.address !== draft.address) return;
  const clearReply = clearReplyOf(frame);
  if (clearReply?.name === 'BUSY') return busy(draft, nowMs);
  const nak = clearReply?.name === 'NAK' ? clearReply.error : undefined;
  const restarted = frame.sequence === 0 && frame.securityBlock === undefined && !bytesEqual(bytes, draft.lastReply);
  const fits = frame.sequence === exchange.sequence || nak === NAK.sequence;
  if (!fits && !restarted) return;
  if (fits && nak === NAK.badCheck) return frameRefused(draft, nowMs, frame);
  if (fits && isStale(draft, frame, clearReply)) return;
  if ('session' in draft.phase && frame.securityBlock === undefined) {
    clearTextInSession(draft, nowMs, exchange, frame, clearReply);
  } else if (fits) {
    draft.lastReply = bytes;
    answered(draft, nowMs, exchange, frame, bytes);
  } else {
    sessionBroken(draft, nowMs, 'ERR_OSDP_RESTARTED', 'the device answers with SQN 0: it has started anew');
  }
  endTurn(draft);
}

function clearReplyOf(frame: ReceivedFrame): Reply | undefined {
  if (frame.securityBlock !== undefined) return undefined;
  const reply = decodeReply(frame);
  return reply.ok ? reply.value : undefined;
}

/** Everything before a session has SQN 0 or 1, so a late PDID can meet a CHLNG; and clear text has no security block. */
function isStale({ phase }: AcuDraft, frame: ReceivedFrame, reply: Reply | undefined): boolean {
  return (
    (phase.kind === 'challenged' && reply?.name === 'PDID') ||
    (phase.kind === 'clear' && frame.securityBlock !== undefined)
  );
}

/** NAK 1: the PD could not read the frame, which is as good as no answer, and is bounded like silence. */
function frameRefused(draft: AcuDraft, nowMs: number, { check }: ReceivedFrame): void {
  if (draft.phase.kind === 'probe') draft.check = check;
  replyMissed(draft, nowMs, draft.phase.kind !== 'probe');
}

/**
 * BUSY has SQN 0 (some send that of the command), no security block and no MAC: the command waits in the PD, and the same frame goes out again. Since
 * anybody can send it, it is no sign of life: after {@link AcuTimings.offlineAfterMs} of BUSY the PD is offline.
 */
function busy(draft: AcuDraft, nowMs: number): void {
  if (nowMs - draft.lastValidMs >= draft.timings.offlineAfterMs) goOffline(draft, nowMs, 'ERR_OSDP_BUSY');
  else repeatAfter(draft, nowMs, draft.timings.busyPauseMs);
  endTurn(draft);
}

function answered(draft: AcuDraft, nowMs: number, exchange: Exchange, frame: ReceivedFrame, bytes: Uint8Array): void {
  draft.sequence = exchange.sequence;
  draft.lastValidMs = nowMs;
  draft.silentProbes = 0;
  draft.garbledProbes = 0;
  if ('session' in draft.phase) return secureAnswered(draft, nowMs, exchange, frame, bytes);
  const reply = decodeReply(frame);
  if (draft.phase.kind === 'clear') {
    if (reply.ok) applicationAnswered(draft, nowMs, exchange, reply.value);
    else applicationAnswerUnreadable(draft, nowMs, exchange, reply.error);
  } else if (reply.ok) {
    openingAnswered(draft, nowMs, frame, reply.value);
  } else if (draft.phase.kind === 'probe' && frame.code === PDID_CODE) {
    draft.exchange = undefined;
    probeAnsweredOddly(draft, nowMs, frame);
  } else {
    handshakeFailed(draft, nowMs, reply.error.code, `the device cannot be understood: ${reply.error.message}`);
  }
}

function openingAnswered(draft: AcuDraft, nowMs: number, frame: ReceivedFrame, reply: Reply): void {
  const { phase } = draft;
  draft.exchange = undefined;
  if (phase.kind === 'probe') probeAnswered(draft, nowMs, frame, reply);
  else if (phase.kind === 'challenged') challengeAnswered(draft, nowMs, phase, frame, reply);
  else if (phase.kind === 'cryptogram') cryptogramAnswered(draft, nowMs, phase, frame, reply);
  else if (phase.kind === 'refused') refusalExplained(draft, nowMs, phase.message, reply);
}

function secureAnswered(
  draft: AcuDraft,
  nowMs: number,
  exchange: Exchange,
  frame: ReceivedFrame,
  bytes: Uint8Array,
): void {
  if (!('session' in draft.phase) || exchange.session === undefined) return;
  const opened = open(exchange.session, bytes);
  if (!opened.ok) return sessionBroken(draft, nowMs, 'ERR_OSDP_MAC', opened.error.message);
  draft.phase = { ...draft.phase, session: opened.value.session };
  if (opened.value.plain && !draft.dialect.clearStatusReplies)
    notice(draft, 'it reports its status in plain text inside the session');
  const reply = decodeReply(opened.value.frame);
  if (exchange.doubted !== undefined) impostorHeard(draft, nowMs, exchange.doubted);
  if (draft.phase.kind === 'installing') keyAnswered(draft, nowMs, reply.ok ? reply.value : undefined);
  else if (reply.ok) applicationAnswered(draft, nowMs, exchange, reply.value);
  else applicationAnswerUnreadable(draft, nowMs, exchange, reply.error);
}
