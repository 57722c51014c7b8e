import { assertStrongKeys } from './acu-keys.js';
import { abandonExchange, failWaiting } from './acu-queue.js';
import { type AcuDraft, assertAddress, isSecure, type ReportedStatus } from './acu-state.js';
import type { AcuInput } from './acu-types.js';
import type { OsdpErrorCode } from './error-codes.js';

const SECOND_MS = 1_000;
/** Between probes of a silent PD (SIA OSDP v2.2 leaves it open). */
const PROBE_PAUSE_MS = { first: 500, max: 10_000 };
/** Between handshakes that fail: a 4-byte MAC and a key must not be tried at the speed of the line. */
const HANDSHAKE_PAUSE_MS = { first: SECOND_MS, max: 30_000 };
/** A session that lasted so long was no part of a loop of failures. */
const STABLE_SESSION_MS = 8_000;
/** So many probes without an answer, and a PD is offline. */
const SILENT_PROBES_MIN = 2;
/** Two PDs at one address garble every answer; one bad probe is noise. */
const GARBLED_PROBES_MAX = 3;

const backOff = (count: number, pauseMs: { readonly first: number; readonly max: number }): number =>
  Math.min(pauseMs.max, pauseMs.first * 2 ** Math.min(count, 10));

export function setStatus(draft: AcuDraft, link: ReportedStatus['link'], reason?: OsdpErrorCode): void {
  const secure = isSecure(draft);
  const last = draft.status;
  if (last?.link === link && last.secure === secure && last.reason === reason) return;
  draft.status = { link, secure, reason };
  draft.effects.push({ kind: 'status', link, secure, ...(reason === undefined ? {} : { reason }) });
}

export function alarm(draft: AcuDraft, code: OsdpErrorCode, message: string): void {
  draft.effects.push({ kind: 'alarm', code, message });
}

/** Tells of a deviation that is tolerated, once. */
export function notice(draft: AcuDraft, message: string): void {
  if (draft.noticed.includes(message)) return;
  draft.noticed = [...draft.noticed, message];
  draft.effects.push({ kind: 'notice', code: 'ERR_OSDP_DEVIATION', message });
}

/** Ends this PD's turn, if it has one. */
export function endTurn(draft: AcuDraft): void {
  if (draft.inTurn) draft.effects.push({ kind: 'turnDone' });
  draft.inTurn = false;
}

/** A probe had no answer: no repeats, a growing pause (one silent PD must not stall the others). */
export function probeUnanswered(draft: AcuDraft, nowMs: number, garbled: boolean): void {
  draft.exchange = undefined;
  draft.readyAtMs = nowMs + backOff(draft.silentProbes, PROBE_PAUSE_MS);
  draft.silentProbes += 1;
  draft.garbledProbes = garbled ? draft.garbledProbes + 1 : 0;
  if (draft.garbledProbes === GARBLED_PROBES_MAX) {
    alarm(draft, 'ERR_OSDP_ADDRESS_CONFLICT', 'answers to ID are garbled each time: two devices may have this address');
  }
  // One answer is easily lost; and a standing reason, such as a refused key, says more than the silence after it.
  if (draft.silentProbes < SILENT_PROBES_MIN) return;
  if (draft.troubles === 0 || draft.status?.link !== 'offline')
    setStatus(draft, 'offline', garbled ? 'ERR_OSDP_GARBLED' : 'ERR_OSDP_SILENT');
}

/** Everything is given up and probing begins. */
export function goOffline(draft: AcuDraft, nowMs: number, reason: OsdpErrorCode): void {
  const lostSecure = draft.status?.secure === true || draft.status?.reason === 'ERR_OSDP_DEADLINE';
  abandonExchange(draft, reason);
  failWaiting(draft, reason);
  forgetSession(draft, { kind: 'probe' });
  draft.readyAtMs = nowMs + SECOND_MS;
  draft.troubles = 0;
  if (lostSecure) alarm(draft, 'ERR_OSDP_SECURE_LOST', 'the device fell silent and its Secure Channel session is over');
  setStatus(draft, 'offline', reason);
}

/** The line itself is down: its bus tells people, and probing begins as soon as it is back. */
export function goDown(draft: AcuDraft): void {
  abandonExchange(draft, 'ERR_OSDP_LINE_DOWN');
  failWaiting(draft, 'ERR_OSDP_LINE_DOWN');
  forgetSession(draft, { kind: 'probe' });
  draft.inTurn = false;
  draft.readyAtMs = 0;
  draft.silentProbes = 0;
  draft.troubles = 0;
  setStatus(draft, 'offline', 'ERR_OSDP_LINE_DOWN');
}

/**
 * The session is over and what waits goes on waiting. The first loss is answered by a handshake at once; sessions that
 * do not last are forced on us, and each next handshake comes later.
 */
export function restartSession(draft: AcuDraft, nowMs: number, reason: OsdpErrorCode): void {
  const { phase } = draft;
  const lasted = 'sinceMs' in phase && nowMs - phase.sinceMs >= STABLE_SESSION_MS;
  draft.troubles = lasted ? 1 : draft.troubles + 1;
  beginSession(draft, nowMs);
  if (draft.troubles > 1) draft.readyAtMs = nowMs + backOff(draft.troubles - 2, HANDSHAKE_PAUSE_MS);
  if (draft.status?.link === 'online') setStatus(draft, 'connecting', reason);
}

/** Opens a session anew at SQN 0, at once, as after KEYSET and COMSET. */
export function beginSession(draft: AcuDraft, nowMs: number): void {
  forgetSession(draft, { kind: draft.secureChannel.mode === 'clear' ? 'probe' : 'challenge' });
  draft.readyAtMs = nowMs;
}

/** No session can be had: never clear text instead, never the default key, another try after a pause. */
export function handshakeFailed(draft: AcuDraft, nowMs: number, reason: OsdpErrorCode, message: string): void {
  if (draft.status?.reason !== reason) alarm(draft, reason, message);
  abandonExchange(draft, reason);
  failWaiting(draft, reason);
  forgetSession(draft, { kind: 'probe' });
  draft.readyAtMs = nowMs + backOff(draft.troubles, HANDSHAKE_PAUSE_MS);
  draft.troubles += 1;
  draft.keyGiven = false;
  setStatus(draft, 'offline', reason);
}

/** The commissioning window is over: no session under SCBK-D outlives it, and none is opened again. */
export function closeWindow(draft: AcuDraft, nowMs: number): void {
  const { secureChannel } = draft;
  if (secureChannel.mode !== 'install') return;
  abandonExchange(draft, 'ERR_OSDP_WINDOW_CLOSED');
  failWaiting(draft, 'ERR_OSDP_WINDOW_CLOSED');
  const { scbk } = secureChannel;
  if (scbk !== undefined) draft.secureChannel = { mode: 'required', scbk };
  forgetSession(draft, { kind: scbk === undefined ? 'closed' : 'probe' });
  draft.readyAtMs = nowMs;
  endTurn(draft);
  setStatus(draft, 'offline', 'ERR_OSDP_WINDOW_CLOSED');
}

/** A policy or an address from outside: everything begins again under it, without the patience that ran out before. */
export function configure(draft: AcuDraft, input: Extract<AcuInput, { kind: 'configure' }>): void {
  const { nowMs, address = draft.address, secureChannel = draft.secureChannel } = input;
  assertAddress(address);
  assertStrongKeys(secureChannel);
  abandonExchange(draft, 'ERR_OSDP_RESTARTED');
  failWaiting(draft, 'ERR_OSDP_RESTARTED');
  draft.address = address;
  draft.secureChannel = secureChannel;
  draft.keyProven = false;
  draft.keyGiven = false;
  draft.refusedOnce = false;
  draft.troubles = 0;
  draft.silentProbes = 0;
  draft.garbledProbes = 0;
  forgetSession(draft, { kind: 'probe' });
  draft.readyAtMs = nowMs;
  endTurn(draft);
  setStatus(draft, 'connecting', 'ERR_OSDP_RESTARTED');
}

function forgetSession(draft: AcuDraft, phase: AcuDraft['phase']): void {
  draft.phase = phase;
  draft.keyIndex = 0;
  draft.exchange = undefined;
  draft.sequence = undefined;
  draft.agenda = [];
  draft.emptyPollMs = undefined;
  draft.incoming = undefined;
}
