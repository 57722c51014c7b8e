import type { CommandOutcome } from './acu-types.js';
import { CodecError } from './codec-error.js';
import type { Command } from './commands.js';
import type { OsdpErrorCode } from './error-codes.js';
import { payloadSizeMax } from './multipart.js';
import { FILE_STATUS, type Reply } from './replies.js';

/** Type, total, offset and size in front of the bytes of a fragment. */
const FILE_HEADER_SIZE = 11;
/** A command that was lost is sent again after so long. */
const RETRY_PAUSE_MS = 500;
/** Between two questions to a PD that is still busy with the file, where it asks for no other pause. */
const KEEP_ALIVE_PAUSE_MS = 500;
/** Without an answer for so long a transfer has failed; it can be resumed. */
const STALLED_AFTER_MS = 60_000;
/** A PD may take so long to check and store what it got: erasing flash is slow. */
const FINISHING_MAX_MS = 300_000;
/** How often a PD may demand to begin anew. */
const RESTARTS_MAX = 3;

/** The most bytes of a file that fit into a frame of `receiveSize` bytes. */
export const fragmentSize = (receiveSize: number, secure: boolean): number =>
  payloadSizeMax(receiveSize, secure) - FILE_HEADER_SIZE;

export interface FileTransferOptions {
  /** As in FILE_TYPE. */
  readonly fileType: number;
  readonly data: Uint8Array;
  /** Where an earlier transfer of the same file ended. A PD that does not remember it makes it begin at 0. */
  readonly offset?: number;
}

export type FileTransferInput =
  | { readonly kind: 'start'; readonly nowMs: number; readonly fragmentSizeMax: number }
  /** What became of the command of the last `send`. */
  | { readonly kind: 'outcome'; readonly nowMs: number; readonly outcome: CommandOutcome }
  | { readonly kind: 'time'; readonly nowMs: number }
  | { readonly kind: 'abort'; readonly nowMs: number };

export type FileTransferResult =
  /** `rebooting`: the PD starts anew by itself and is away for a while. */
  | { readonly kind: 'completed'; readonly rebooting: boolean }
  | { readonly kind: 'failed'; readonly code: OsdpErrorCode; readonly message: string; readonly offset: number }
  | { readonly kind: 'aborted'; readonly offset: number };

export type FileTransferEffect =
  /** Enqueue it at the ACU of the PD, and feed its outcome. */
  | { readonly kind: 'send'; readonly command: Command }
  /** Feed `time` then. Until then the PD is polled as ever. */
  | { readonly kind: 'wait'; readonly untilMs: number }
  | { readonly kind: 'progress'; readonly sentSize: number; readonly totalSize: number }
  | { readonly kind: 'done'; readonly result: FileTransferResult };

type Phase =
  | { readonly kind: 'idle' }
  | { readonly kind: 'asking'; readonly size: number }
  | { readonly kind: 'pausing'; readonly untilMs: number }
  | { readonly kind: 'aborting' }
  | { readonly kind: 'ended' };

export interface FileTransferState {
  readonly fileType: number;
  readonly data: Uint8Array;
  /** Bytes that the PD has accepted. */
  readonly offset: number;
  /** The most that the PD takes. */
  readonly fragmentSizeMax: number;
  /** What is sent at a time: the PD may ask for less. */
  readonly fragmentSize: number;
  readonly phase: Phase;
  /** When the PD last accepted bytes. */
  readonly acceptedMs: number;
  /** When it last answered by FTSTAT. */
  readonly heardMs: number;
  /** Nothing more is sent but ABORT. A file that the PD has taken by then is taken. */
  readonly abortWanted: boolean;
  readonly restartsCount: number;
}

type Draft = { -readonly [K in keyof FileTransferState]: FileTransferState[K] } & {
  readonly effects: FileTransferEffect[];
};

/**
 * A file on its way to a PD (SIA OSDP v2.2, "File Transfer"), above the ACU machine, which repeats and authenticates.
 * @throws CodecError for an empty file and for an offset beyond its end.
 */
export function createFileTransfer({ fileType, data, offset = 0 }: FileTransferOptions): FileTransferState {
  if (data.length === 0 || data.length > 0xffff_ffff)
    throw new CodecError('ERR_OSDP_VALUE', 'a file has at least one byte');
  if (!Number.isInteger(offset) || offset < 0 || offset > data.length) {
    throw new CodecError('ERR_OSDP_VALUE', `offset ${offset} is not within the file of ${data.length} bytes`);
  }
  return {
    fileType,
    data,
    offset,
    fragmentSizeMax: 0,
    fragmentSize: 0,
    phase: { kind: 'idle' },
    acceptedMs: 0,
    heardMs: 0,
    abortWanted: false,
    restartsCount: 0,
  };
}

/** One step of a transfer. Pure: the same state and input give the same result. */
export function stepFileTransfer(
  state: FileTransferState,
  input: FileTransferInput,
): { readonly state: FileTransferState; readonly effects: readonly FileTransferEffect[] } {
  const draft: Draft = { ...state, effects: [] };
  act(draft, input);
  const { effects, ...next } = draft;
  return { state: next, effects };
}

function act(draft: Draft, input: FileTransferInput): void {
  const { phase } = draft;
  switch (input.kind) {
    case 'start':
      if (phase.kind !== 'idle') return;
      draft.fragmentSizeMax = Math.max(1, input.fragmentSizeMax);
      draft.fragmentSize = draft.fragmentSizeMax;
      draft.acceptedMs = input.nowMs;
      draft.heardMs = input.nowMs;
      return sendNext(draft);
    case 'outcome':
      if (phase.kind === 'aborting') return end(draft, { kind: 'aborted', offset: draft.offset });
      if (phase.kind !== 'asking') return;
      return take(draft, input.nowMs, input.outcome, phase.size);
    case 'time':
      if (phase.kind !== 'pausing') return;
      if (input.nowMs >= phase.untilMs) return sendNext(draft);
      // Timers may be a little early.
      draft.effects.push({ kind: 'wait', untilMs: phase.untilMs });
      return;
    case 'abort':
      draft.abortWanted = true;
      if (phase.kind === 'pausing') abort(draft);
      else if (phase.kind === 'idle') end(draft, { kind: 'aborted', offset: draft.offset });
      return;
  }
}

/** The next fragment; behind the last one an empty fragment, which asks whether the PD has finished. */
function sendNext(draft: Draft): void {
  const { fileType, data, offset } = draft;
  const fragment = data.slice(offset, offset + draft.fragmentSize);
  draft.phase = { kind: 'asking', size: fragment.length };
  const command: Command = {
    name: 'FILETRANSFER',
    type: fileType,
    totalSize: data.length,
    offset,
    data: fragment,
  };
  draft.effects.push({ kind: 'send', command });
}

function abort(draft: Draft): void {
  draft.phase = { kind: 'aborting' };
  draft.effects.push({ kind: 'send', command: { name: 'ABORT' } });
}

function end(draft: Draft, result: FileTransferResult): void {
  draft.phase = { kind: 'ended' };
  draft.effects.push({ kind: 'done', result });
}

function fail(draft: Draft, code: OsdpErrorCode, message: string): void {
  end(draft, { kind: 'failed', code, message, offset: draft.offset });
}

/** Waits, if there is anything to wait for; then comes the next fragment, or ABORT where somebody wants it. */
function pause(draft: Draft, nowMs: number, pauseMs: number): void {
  if (draft.abortWanted) return abort(draft);
  if (pauseMs === 0) return sendNext(draft);
  draft.phase = { kind: 'pausing', untilMs: nowMs + pauseMs };
  draft.effects.push({ kind: 'wait', untilMs: nowMs + pauseMs });
}

function take(draft: Draft, nowMs: number, outcome: CommandOutcome, size: number): void {
  if (outcome.kind !== 'acknowledged') return notTaken(draft, nowMs, outcome);
  if (outcome.reply.name !== 'FTSTAT') {
    return fail(draft, 'ERR_OSDP_FILE_REFUSED', `the device answers ${outcome.reply.name}, not FTSTAT`);
  }
  answered(draft, nowMs, outcome.reply, size);
}

/** The same fragment again: a PD that has it already writes it once. What the PD refuses for good is not tried again. */
function notTaken(draft: Draft, nowMs: number, outcome: Exclude<CommandOutcome, { kind: 'acknowledged' }>): void {
  const { reason, detail = reason } = outcome;
  const final: readonly OsdpErrorCode[] = [
    'ERR_OSDP_NAK',
    'ERR_OSDP_COMMAND_REFUSED',
    'ERR_OSDP_LENGTH',
    'ERR_OSDP_VALUE',
  ];
  if (final.includes(reason)) return fail(draft, reason, detail);
  if (nowMs - draft.heardMs >= STALLED_AFTER_MS) {
    return fail(draft, 'ERR_OSDP_FILE_STALLED', `no answer for ${STALLED_AFTER_MS / 1_000} s: ${detail}`);
  }
  pause(draft, nowMs, RETRY_PAUSE_MS);
}

function answered(draft: Draft, nowMs: number, reply: Extract<Reply, { name: 'FTSTAT' }>, size: number): void {
  const { status, delayMs, messageSizeMax } = reply;
  draft.heardMs = nowMs;
  if (messageSizeMax > 0) {
    draft.fragmentSize = Math.max(1, Math.min(draft.fragmentSizeMax, fragmentSize(messageSizeMax, true)));
  }
  switch (status) {
    case FILE_STATUS.proceed:
    case FILE_STATUS.finishing:
      return accepted(draft, nowMs, size, delayMs, status);
    case FILE_STATUS.processed:
    case FILE_STATUS.rebooting:
      accept(draft, nowMs, size);
      if (draft.offset < draft.data.length) {
        return fail(
          draft,
          'ERR_OSDP_FILE_REFUSED',
          `the device ends the transfer before its end, with status ${status}`,
        );
      }
      return end(draft, { kind: 'completed', rebooting: status === FILE_STATUS.rebooting });
    case FILE_STATUS.malformed:
      return restart(draft, nowMs, delayMs);
    case FILE_STATUS.unrecognised:
      return fail(draft, 'ERR_OSDP_FILE_UNRECOGNISED', 'the device does not recognise the content of the file');
    case FILE_STATUS.aborted:
      return fail(draft, 'ERR_OSDP_FILE_ABORTED', 'the device has aborted the transfer');
    default:
      return fail(draft, 'ERR_OSDP_FILE_REFUSED', `the device answers with the unknown status ${status}`);
  }
}

function accept(draft: Draft, nowMs: number, size: number): void {
  if (size === 0) return;
  draft.offset += size;
  draft.acceptedMs = nowMs;
  draft.effects.push({ kind: 'progress', sentSize: draft.offset, totalSize: draft.data.length });
}

function accepted(draft: Draft, nowMs: number, size: number, delayMs: number, status: number): void {
  accept(draft, nowMs, size);
  if (draft.offset < draft.data.length) return pause(draft, nowMs, delayMs);
  // Some PDs have no more to say than that the last fragment came.
  if (status === FILE_STATUS.proceed) return end(draft, { kind: 'completed', rebooting: false });
  if (nowMs - draft.acceptedMs >= FINISHING_MAX_MS) {
    return fail(draft, 'ERR_OSDP_FILE_STALLED', `the device is not done after ${FINISHING_MAX_MS / 1_000} s`);
  }
  pause(draft, nowMs, delayMs === 0 ? KEEP_ALIVE_PAUSE_MS : delayMs);
}

/** Malformed: a PD that was restarted, or knows nothing of an earlier transfer, wants the file from its beginning. */
function restart(draft: Draft, nowMs: number, delayMs: number): void {
  if (draft.offset === 0 || draft.restartsCount >= RESTARTS_MAX) {
    return fail(draft, 'ERR_OSDP_FILE_MALFORMED', 'the device finds the transfer malformed');
  }
  draft.offset = 0;
  draft.restartsCount += 1;
  draft.acceptedMs = nowMs;
  draft.effects.push({ kind: 'progress', sentSize: 0, totalSize: draft.data.length });
  pause(draft, nowMs, delayMs);
}
