import { bytesEqual } from './bytes-equal.js';
import type { Frame, ReceivedFrame } from './frame.js';
import { NAK } from './nak.js';
import { HIDDEN_REASONS, type Finding, type FindingCode, type HiddenReason, type MonitorKey } from './monitor-types.js';
import { open, SCS } from './secure-channel.js';
import {
  clientCryptogram,
  deriveSessionKeys,
  initialRMac,
  KEY_SELECTION,
  SCBK_DEFAULT,
  serverCryptogram,
  type SessionKeys,
} from './session-keys.js';

/** What a listener knows of the Secure Channel of one PD. */
export type HeardSession =
  /** Nothing secure was heard since the start, or since the session ended. */
  | { readonly kind: 'none' }
  | { readonly kind: 'challenged'; readonly rndA: Uint8Array; readonly selection: number | undefined }
  /** The PD has answered; `keys` and the R-MAC_I that must follow are known where one of ours made the cryptogram. */
  | { readonly kind: 'answered'; readonly made?: OpenSession }
  | OpenSession
  | { readonly kind: 'hidden'; readonly reason: HiddenReason };

/**
 * A frame of the ACU is chained to the last reply, a reply to the command it answers: both values are kept, because a
 * command that is given up for another starts from the same one again.
 */
export interface OpenSession {
  readonly kind: 'open';
  readonly keys: SessionKeys;
  readonly replyChain: Uint8Array;
  readonly commandChain: Uint8Array;
  /** Made from SCBK-D. */
  readonly isDefaultKey: boolean;
  /** Somebody said that it is over. It is kept, because whoever said so may have had no right to. */
  readonly isOver: boolean;
}

export interface Followed {
  readonly session: HeardSession;
  /** The frame with its payload in plain text, or why that cannot be had. */
  readonly content: Frame | HiddenReason;
  readonly findings: readonly Finding[];
}

export const finding = (code: FindingCode, text: string): Finding => ({ code, text });

/** Follows handshake and chain of one PD by one more frame, which is no repeat. `keys` are those that may be its own. */
export function followSession(
  session: HeardSession,
  keys: readonly MonitorKey[],
  bytes: Uint8Array,
  frame: ReceivedFrame,
): Followed {
  const { securityBlock: block } = frame;
  if (frame.mac !== undefined) return followSealed(session, bytes, frame);
  switch (block?.type) {
    case SCS.challenge:
      return {
        session: { kind: 'challenged', rndA: frame.payload, selection: block.data[0] },
        content: frame,
        findings: ended(session, 'a new handshake begins'),
      };
    case SCS.clientCryptogram:
      return { ...followAnswer(session, keys, frame), content: frame };
    case SCS.serverCryptogram:
      return { session, content: frame, findings: [] };
    case SCS.initialRMac:
      return { ...followOpening(session, block.data[0], frame), content: frame };
    default:
      return { ...followClear(session, frame), content: frame };
  }
}

type Step = Omit<Followed, 'content'>;

function followAnswer(session: HeardSession, keys: readonly MonitorKey[], { payload }: ReceivedFrame): Step {
  if (session.kind !== 'challenged') return { session: { kind: 'answered' }, findings: [] };
  const { rndA, selection } = session;
  const rndB = payload.slice(8, 16);
  for (const scbk of [SCBK_DEFAULT, ...keys.map((key) => key.scbk)]) {
    const made = deriveSessionKeys(scbk, rndA);
    if (!bytesEqual(clientCryptogram(made, rndA, rndB), payload.slice(16))) continue;
    const rMac = initialRMac(made, serverCryptogram(made, rndA, rndB));
    const isDefaultKey = bytesEqual(scbk, SCBK_DEFAULT);
    return {
      session: {
        kind: 'answered',
        made: { kind: 'open', keys: made, replyChain: rMac, commandChain: rMac, isDefaultKey, isOver: false },
      },
      findings: isDefaultKey ? [finding('defaultKey', 'the key is SCBK-D: everybody on the line can read along')] : [],
    };
  }
  const text = selection === KEY_SELECTION.scbkDefault ? 'SCBK-D was asked for, and another key answers' : undefined;
  return { session: { kind: 'answered' }, findings: text === undefined ? [] : [finding('sessionRefused', text)] };
}

function followOpening(session: HeardSession, status: number | undefined, { payload }: ReceivedFrame): Step {
  if (status !== 0x01) {
    return { session: { kind: 'none' }, findings: [finding('sessionRefused', 'the PD refuses the key of the ACU')] };
  }
  const made = session.kind === 'answered' ? session.made : undefined;
  if (made === undefined || !bytesEqual(made.replyChain, payload)) {
    const reason = session.kind === 'answered' || session.kind === 'challenged' ? 'noKey' : 'sessionBeganBefore';
    return { session: { kind: 'hidden', reason }, findings: [unreadable(reason)] };
  }
  return { session: made, findings: [finding('sessionOpened', 'a session is up, and can be read')] };
}

function followSealed(before: HeardSession, bytes: Uint8Array, frame: ReceivedFrame): Followed {
  // The session is up although its RMAC_I was not heard.
  const session = before.kind === 'answered' && before.made !== undefined ? before.made : before;
  if (session.kind !== 'open') return followUnreadable(session, frame);
  const { keys, replyChain, commandChain } = session;
  const opened = open({ keys, chain: frame.reply ? commandChain : replyChain }, bytes);
  // The chain is kept: if this frame was forged, the next one fits again.
  if (!opened.ok) return { session, content: 'chainBroken', findings: [] };
  const { chain } = opened.value.session;
  return {
    session: { ...session, ...(frame.reply ? { replyChain: chain } : { commandChain: chain }), isOver: false },
    content: opened.value.frame,
    findings: opened.value.plain ? [finding('plainInSession', 'authentic, but not encrypted')] : [],
  };
}

/** Codes are never encrypted, so that a frame without data can be read all the same. */
function followUnreadable(session: HeardSession, frame: ReceivedFrame): Followed {
  const isNews = session.kind !== 'hidden';
  const reason = isNews ? (session.kind === 'answered' ? 'noKey' : 'sessionBeganBefore') : session.reason;
  return {
    session: { kind: 'hidden', reason },
    content: isUnencrypted(frame) ? frame : reason,
    findings: isNews ? [unreadable(reason)] : [],
  };
}

const unreadable = (reason: HiddenReason): Finding =>
  finding('sessionHidden', `a session is up, and cannot be read: ${HIDDEN_REASONS[reason]}`);

const isUnencrypted = ({ securityBlock }: ReceivedFrame): boolean =>
  securityBlock?.type === SCS.command || securityBlock?.type === SCS.reply;

/** Clear text ends a session when the ACU restarts at SQN 0, or a PD says that it has none; else it is out of place. */
function followClear(session: HeardSession, frame: ReceivedFrame): Step {
  const { reply, sequence, code, payload } = frame;
  if (!reply && sequence === 0) return over(session, 'the ACU starts anew');
  const isNak = reply && code === 0x41;
  if (isNak && (session.kind === 'challenged' || session.kind === 'answered')) {
    return { session: { kind: 'none' }, findings: [finding('sessionRefused', 'the PD refuses the handshake')] };
  }
  if (!isUp(session)) return { session, findings: [] };
  // BUSY and NAK 1 are sent in clear by right (SIA OSDP v2.2, Annex D); NAK 6 announces that the PD has no session.
  if (reply && (code === 0x79 || (isNak && payload[0] === NAK.badCheck))) return { session, findings: [] };
  if (isNak && payload[0] === NAK.encryptionRequired) return over(session, 'the PD says that it has none');
  return { session, findings: [finding('clearInSession', 'clear text where a session is up')] };
}

const isUp = (session: HeardSession): boolean =>
  session.kind === 'hidden' || (session.kind === 'open' && !session.isOver);

const over = (session: HeardSession, why: string): Step => ({
  session: session.kind === 'open' ? { ...session, isOver: true } : { kind: 'none' },
  findings: ended(session, why),
});

const ended = (session: HeardSession, why: string): readonly Finding[] =>
  isUp(session) ? [finding('sessionEnded', `the session is over: ${why}`)] : [];
