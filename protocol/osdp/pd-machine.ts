import { bytesEqual } from './bytes-equal.js';
import { receiveSize } from './capabilities.js';
import type { CodecError, Decoded } from './codec-error.js';
import { type Command, decodeCommand } from './commands.js';
import {
  CONFIGURATION_ADDRESS,
  decodeFrame,
  encodeFrame,
  type Frame,
  FRAME_LENGTH_MAX,
  type ReceivedFrame,
  withMark,
} from './frame.js';
import { INTER_CHARACTER_TIMEOUT_MS, parseBytes, parseSilence } from './frame-parser.js';
import { payloadSizeMax } from './multipart.js';
import { NAK } from './nak.js';
import { nak } from './pd-answers.js';
import { execute } from './pd-execute.js';
import { answerChallenge, answerCryptogram, type ClearAnswer, endSession } from './pd-handshake.js';
import { endTimedLeds } from './pd-leds.js';
import { endTimedOutputs, isActive } from './pd-outputs.js';
import { dropPartialReports, happen, outputStatus, report } from './pd-reports.js';
import { dialectOf, type PdDraft, type PdState, powered } from './pd-state.js';
import type { PdEffect, PdInput } from './pd-types.js';
import { encodeReply, FILE_STATUS, type Reply } from './replies.js';
import { open, SCS, seal, sealPlainStatus } from './secure-channel.js';

export { createPd, type PdState } from './pd-state.js';

/** Without a valid command for so long, the session is over (SIA OSDP v2.2, "Timing"). */
const OFFLINE_AFTER_MS = 8_000;
const REPLY_DELAY_MS = 2;
const STATUS_REPLIES: readonly Reply['name'][] = ['LSTATR', 'ISTATR', 'OSTATR', 'RSTATR'];
/** In clear, a PD in full-security mode obeys only what leads to a session. */
const CLEAR_COMMANDS: readonly Command['name'][] = ['ID', 'CAP', 'CHLNG', 'SCRYPT'];

/** One step of a PD. Pure: the same state and input give the same result. */
export function step(
  state: PdState,
  input: PdInput,
): { readonly state: PdState; readonly effects: readonly PdEffect[] } {
  const draft: PdDraft = { ...state, effects: [] };
  act(draft, input);
  const { effects, ...next } = draft;
  return { state: next, effects };
}

/** When `time` must be given next: timed outputs and LEDs end, a session times out, half a frame goes stale. */
export function nextTimeMs(state: PdState): number | undefined {
  const times = [
    ...state.outputs.map(({ temporary }) => temporary?.untilMs),
    ...state.leds.map(({ temporary }) => temporary?.untilMs),
    state.security.kind === 'none' ? undefined : state.lastHeardMs + OFFLINE_AFTER_MS,
    state.parser.held.bytes.length === 0 ? undefined : state.parser.lastByteMs + gapMs(state),
  ].filter((time) => time !== undefined);
  return times.length === 0 ? undefined : Math.min(...times);
}

function act(draft: PdDraft, input: PdInput): void {
  passTime(draft, input.nowMs);
  switch (input.kind) {
    case 'bytes': {
      const { state, frames } = parseBytes(draft.parser, input.bytes, input.nowMs, gapMs(draft));
      draft.parser = state;
      for (const frame of frames) receive(draft, input.nowMs, frame, input.rndB);
      return;
    }
    case 'time':
      return;
    case 'event':
      return happen(draft, input.event);
    case 'busy':
      draft.busyCount = input.count;
      return;
    case 'reset':
      return reset(draft);
  }
}

function passTime(draft: PdDraft, nowMs: number): void {
  endTimedLeds(draft, nowMs);
  if (endTimedOutputs(draft, nowMs)) report(draft, outputStatus(draft));
  if (nowMs >= draft.lastHeardMs + OFFLINE_AFTER_MS) {
    endSession(draft);
    forgetExchange(draft);
    draft.acuReceiveSize = undefined;
  }
  // A frame that is found only behind a silence is not answered any more: the ACU repeats it.
  if (nowMs >= draft.parser.lastByteMs + gapMs(draft)) draft.parser = parseSilence(draft.parser).state;
}

const gapMs = ({ options }: Pick<PdState, 'options'>): number =>
  options.interCharacterTimeoutMs ?? INTER_CHARACTER_TIMEOUT_MS;

function reset(draft: PdDraft): void {
  endSession(draft);
  draft.outputs.forEach((output, number) => {
    if (isActive(output)) draft.effects.push({ kind: 'output', number, active: false });
  });
  Object.assign(draft, powered(draft.options, draft));
}

/** Frames of others and replies are passed over without a word; a PD never speaks unasked. */
function receive(draft: PdDraft, nowMs: number, bytes: Uint8Array, rndB: Uint8Array): void {
  const received = decodeFrame(bytes);
  if (!received.ok) return;
  const frame = received.value;
  if (frame.reply || (frame.address !== draft.address && frame.address !== CONFIGURATION_ADDRESS)) return;
  draft.lastHeardMs = nowMs;
  if (draft.busyCount > 0) {
    draft.busyCount -= 1;
    return transmit(draft, encodeFrame({ ...answerTo(frame, { name: 'BUSY' }), sequence: 0 }));
  }
  const { last } = draft;
  if (frame.sequence !== 0 && last !== undefined && bytesEqual(last.command, bytes)) return transmit(draft, last.reply);
  if (frame.sequence === 0) restart(draft, frame);
  if (frame.mac === undefined) receiveClear(draft, nowMs, frame, bytes, rndB);
  else receiveSecure(draft, nowMs, frame, bytes);
}

/** SQN 0: what was before is forgotten, but for a challenge that is being repeated. */
function restart(draft: PdDraft, frame: ReceivedFrame): void {
  forgetExchange(draft);
  if (draft.security.kind === 'established' || frame.securityBlock?.type !== SCS.challenge) endSession(draft);
}

function forgetExchange(draft: PdDraft): void {
  draft.last = undefined;
  dropPartialReports(draft);
}

function receiveClear(draft: PdDraft, nowMs: number, frame: ReceivedFrame, bytes: Uint8Array, rndB: Uint8Array): void {
  const command = decodeCommand(frame);
  if (draft.security.kind === 'established') {
    // Clear text inside a session ends it: whoever sent it is not the ACU of this session, or begins the next one. libosdp
    // does so without going back to SQN 0.
    endSession(draft);
    if (!(command.ok && command.value.name === 'CHLNG' && isExpected(draft, frame))) {
      forgetExchange(draft);
      return refuseClear(draft, frame, bytes);
    }
  }
  const { requireSecureChannel } = draft.options;
  if (requireSecureChannel && !(command.ok && CLEAR_COMMANDS.includes(command.value.name))) {
    return refuseClear(draft, frame, bytes);
  }
  // A frame out of sequence is no part of it.
  if (!isExpected(draft, frame)) return transmit(draft, encodeFrame(answerTo(frame, nak(NAK.sequence))));
  const answer = clearAnswer(draft, nowMs, frame, command, bytes.length, rndB);
  const block = answer.securityBlock === undefined ? {} : { securityBlock: answer.securityBlock };
  finish(draft, frame, bytes, encodeFrame({ ...answerTo(frame, answer.reply), ...block }), answer.reply);
}

function clearAnswer(
  draft: PdDraft,
  nowMs: number,
  frame: ReceivedFrame,
  command: Decoded<Command>,
  length: number,
  rndB: Uint8Array,
): ClearAnswer {
  if (command.ok && command.value.name === 'CHLNG') return answerChallenge(draft, frame, command.value, rndB);
  if (command.ok && command.value.name === 'SCRYPT') return answerCryptogram(draft, frame, command.value);
  if (frame.securityBlock !== undefined) return { reply: nak(NAK.securityUnsupported) };
  return { reply: obey(draft, nowMs, frame, command, length) };
}

function receiveSecure(draft: PdDraft, nowMs: number, frame: ReceivedFrame, bytes: Uint8Array): void {
  const opened = draft.security.kind === 'established' ? open(draft.security.session, bytes) : undefined;
  if (draft.security.kind !== 'established' || !opened?.ok) {
    endSession(draft);
    forgetExchange(draft);
    return refuseClear(draft, frame, bytes);
  }
  const plain = opened.value.frame;
  const { scbk } = draft;
  const expected = isExpected(draft, frame);
  const reply = expected ? obey(draft, nowMs, plain, decodeCommand(plain), bytes.length) : nak(NAK.sequence);
  const isPlain = dialectOf(draft.options).clearStatusReplies && STATUS_REPLIES.includes(reply.name);
  const sealed = (isPlain ? sealPlainStatus : seal)(opened.value.session, answerTo(frame, reply));
  draft.security = { ...draft.security, session: sealed.session };
  finish(draft, frame, bytes, sealed.bytes, reply);
  if (draft.scbk !== scbk && dialectOf(draft.options).keysetEndsSession) endSession(draft);
}

function obey(draft: PdDraft, nowMs: number, frame: Frame, command: Decoded<Command>, length: number): Reply {
  if (length > receiveSize(draft.options.capabilities)) return nak(NAK.commandLength);
  return command.ok ? fitting(draft, execute(draft, nowMs, command.value)) : nakFor(command.error, frame.code);
}

/** Nothing longer leaves than the ACU has said that it takes. Long replies are cut before; the others have no parts. */
function fitting(draft: PdDraft, reply: Reply): Reply {
  const { acuReceiveSize = FRAME_LENGTH_MAX, security } = draft;
  const { payload } = encodeReply(reply);
  return payload.length > payloadSizeMax(acuReceiveSize, security.kind === 'established') ? nak(NAK.record) : reply;
}

function nakFor({ code }: CodecError, commandCode: number): Reply {
  if (code === 'ERR_OSDP_CODE_UNKNOWN') return nak(NAK.commandUnknown, commandCode);
  return nak(code === 'ERR_OSDP_LENGTH' ? NAK.commandLength : NAK.record);
}

/** The next number, or the last one again with other bytes: some ACUs do not count a NAK. */
function isExpected({ last }: PdDraft, { sequence }: Frame): boolean {
  return sequence === 0 || (last !== undefined && (sequence === last.sequence || sequence === (last.sequence % 3) + 1));
}

/** Answers, remembers the answer for a repeat, and lets a new address take effect after it. */
function finish(draft: PdDraft, frame: Frame, command: Uint8Array, bytes: Uint8Array, reply: Reply): void {
  transmit(draft, bytes);
  draft.last = { sequence: frame.sequence, command, reply: bytes };
  if (reply.name === 'FTSTAT' && reply.status === FILE_STATUS.rebooting) draft.effects.push({ kind: 'reboot' });
  if (reply.name === 'COM') moveTo(draft, reply);
}

function moveTo(draft: PdDraft, { address, baudRate }: Extract<Reply, { name: 'COM' }>): void {
  if (address === draft.address && baudRate === draft.baudRate) return;
  draft.address = address;
  draft.baudRate = baudRate;
  draft.effects.push({ kind: 'communication', address, baudRate });
  endSession(draft);
  forgetExchange(draft);
}

/** Refuses in clear what cannot be processed for want of a session. Many ACUs count the answer and go on from there. */
function refuseClear(draft: PdDraft, frame: Frame, bytes: Uint8Array): void {
  const reply = nak(NAK.encryptionRequired);
  finish(draft, frame, bytes, encodeFrame(answerTo(frame, reply)), reply);
}

/** The reply to a command: its address, its SQN and its kind of check. */
function answerTo({ address, sequence, check }: Frame, reply: Reply): Frame {
  return { address, reply: true, sequence, check, ...encodeReply(reply) };
}

function transmit(draft: PdDraft, frame: Uint8Array): void {
  const delayMs = draft.options.replyDelayMs ?? REPLY_DELAY_MS;
  draft.effects.push({ kind: 'transmit', bytes: withMark(frame), delayMs });
}
