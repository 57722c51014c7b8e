import { type KeyChoice, keyChoices } from './acu-keys.js';
import { endTurn } from './acu-link.js';
import { settle, takeNext } from './acu-queue.js';
import type { AcuDraft, Exchange, QueueEntry } from './acu-state.js';
import { type Command, encodeCommand, KEY_TYPE_SCBK } from './commands.js';
import { type Check, encodeFrame, type Frame, type SecurityBlock, type Sequence, withMark } from './frame.js';
import { SCS, seal, type SecureSession } from './secure-channel.js';
import { deriveSessionKeys } from './session-keys.js';

/** Of so many probes without an answer, the last is sent with the other check: old readers know checksums alone. */
const PROBES_PER_OTHER_CHECK = 4;

const MARK_LENGTH = 1;
/** For every second repeat to a PD that has been silent for a while, so that it costs its neighbours less. */
const SHORT_REPLY_TIMEOUT_MS = 60;

/** Sends the frame that stands next in this phase, or ends the turn. */
export function transmitNext(draft: AcuDraft, nowMs: number, rndA: Uint8Array): void {
  const { phase } = draft;
  switch (phase.kind) {
    case 'probe':
      return start(draft, nowMs, { name: 'ID', type: 0 }, 0, { check: probeCheck(draft) });
    case 'challenge':
    case 'challenged': {
      const choice = keyChoices(draft.secureChannel)[draft.keyIndex];
      if (choice === undefined) return endTurn(draft);
      const nonce = rndA.slice(0, 8);
      draft.phase = { kind: 'challenged', choice, keys: deriveSessionKeys(choice.scbk, nonce), rndA: nonce };
      return start(draft, nowMs, { name: 'CHLNG', rndA: nonce }, 0, { securityBlock: keyBlock(SCS.challenge, choice) });
    }
    case 'cryptogram': {
      const { serverCryptogram, choice } = phase;
      const securityBlock = keyBlock(SCS.serverCryptogram, choice);
      return start(draft, nowMs, { name: 'SCRYPT', serverCryptogram }, 1, { securityBlock });
    }
    case 'refused':
      return start(draft, nowMs, { name: 'CAP', type: 0 }, 1, {});
    case 'installing': {
      const command = { name: 'KEYSET', keyType: KEY_TYPE_SCBK, key: phase.scbk } as const;
      return open(draft, nowMs, { ...sealed(draft, command, phase.session), entry: undefined });
    }
    case 'clear':
      return transmitApplication(draft, nowMs, undefined);
    case 'secure':
      return transmitApplication(draft, nowMs, phase.session);
    case 'closed':
      return endTurn(draft);
  }
}

/**
 * The same bytes again: same sequence number, same MAC (SIA OSDP v2.2, "Sequence Numbers"). `hurried`: the PD has been
 * silent for a while, so not every repeat is waited for as long.
 */
export function repeat(draft: AcuDraft, exchange: Exchange, hurried: boolean): void {
  draft.exchange = { ...exchange, attempts: exchange.attempts + 1 };
  const { replyTimeoutMs } = draft.timings;
  const short = hurried && exchange.misses % 2 === 1;
  transmit(draft, exchange.bytes, short ? Math.min(SHORT_REPLY_TIMEOUT_MS, replyTimeoutMs) : replyTimeoutMs);
}

function transmitApplication(draft: AcuDraft, nowMs: number, session: SecureSession | undefined): void {
  const { command, entry } = takeNext(draft, nowMs);
  const opening = sealed(draft, command, session);
  const length = opening.bytes.length - MARK_LENGTH;
  if (length > draft.receiveSize && entry !== undefined) {
    const detail = `${length} bytes are more than the ${draft.receiveSize} that the device takes`;
    settle(draft, entry, { kind: 'notExecuted', reason: 'ERR_OSDP_LENGTH', detail });
    return transmitApplication(draft, nowMs, session);
  }
  open(draft, nowMs, { ...opening, entry });
}

/** The next frame of a connection: in clear, or sealed under its session. */
function sealed(draft: AcuDraft, command: Command, session: SecureSession | undefined): Omit<Opening, 'entry'> {
  const sequence = nextSequence(draft.sequence);
  const frame = frameOf(draft, command, sequence);
  const frameSealed = session === undefined ? { bytes: encodeFrame(frame), session } : seal(session, frame);
  return { command, sequence, bytes: withMark(frameSealed.bytes), session: frameSealed.session };
}

type FrameParts = Partial<Pick<Frame, 'check' | 'securityBlock'>>;

function start(draft: AcuDraft, nowMs: number, command: Command, sequence: Sequence, parts: FrameParts): void {
  const bytes = withMark(encodeFrame({ ...frameOf(draft, command, sequence), ...parts }));
  open(draft, nowMs, { command, entry: undefined, sequence, bytes, session: undefined });
}

type Opening = Pick<Exchange, 'command' | 'sequence' | 'bytes' | 'session'> & {
  readonly entry: QueueEntry | undefined;
};

function open(draft: AcuDraft, nowMs: number, opening: Opening): void {
  draft.exchange = { ...opening, firstSentMs: nowMs, attempts: 1, misses: 0, doubted: undefined };
  draft.polledLast = opening.command.name === 'POLL';
  transmit(draft, opening.bytes, draft.timings.replyTimeoutMs);
}

function transmit(draft: AcuDraft, bytes: Uint8Array, replyTimeoutMs: number): void {
  draft.effects.push({ kind: 'transmit', bytes, replyTimeoutMs });
}

function frameOf(draft: AcuDraft, command: Command, sequence: Sequence): Frame {
  return { address: draft.address, reply: false, sequence, check: draft.check, ...encodeCommand(command) };
}

function probeCheck({ check, silentProbes }: AcuDraft): Check {
  if (silentProbes % PROBES_PER_OTHER_CHECK !== PROBES_PER_OTHER_CHECK - 1) return check;
  return check === 'crc' ? 'checksum' : 'crc';
}

const keyBlock = (type: number, { selection }: KeyChoice): SecurityBlock => ({
  type,
  data: Uint8Array.of(selection),
});

/** 0 opens a connection; then 1, 2, 3, 1 … */
const nextSequence = (last: Sequence | undefined): Sequence =>
  last === undefined ? 0 : (((last % 3) + 1) as Sequence);
