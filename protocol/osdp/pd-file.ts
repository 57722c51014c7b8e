import { bytesEqual } from './bytes-equal.js';
import type { Command } from './commands.js';
import type { PdDraft } from './pd-state.js';
import type { PdFileOptions, PdFileVerdict } from './pd-types.js';
import { FILE_ACTION, FILE_STATUS, type Reply } from './replies.js';

/** The ACU asks again after so long whether a file that is whole has been processed. */
const FINISHING_DELAY_MS = 50;

/** A file of which the first part is there. It outlives the session, so that a transfer can be resumed. */
export interface FileReceiver {
  readonly type: number;
  readonly totalSize: number;
  readonly receivedSize: number;
  /** The fragment that was stored last: the same one again is a repeat. */
  readonly last: Uint8Array;
  readonly verdict: PdFileVerdict | undefined;
}

/** Takes a fragment, or a question whether the file is processed (SIA OSDP v2.2, "File Transfer"). */
export function receiveFile(
  draft: PdDraft,
  { type, totalSize, offset, data }: Extract<Command, { name: 'FILETRANSFER' }>,
  options: PdFileOptions,
): Reply {
  const same = draft.file?.type === type && draft.file.totalSize === totalSize ? draft.file : undefined;
  const end = offset + data.length;
  if (same !== undefined && (data.length === 0 || (end === same.receivedSize && bytesEqual(same.last, data)))) {
    return progress(draft, options, same);
  }
  if (data.length === 0 || end > totalSize) return answer(draft, options, FILE_STATUS.malformed);
  if (offset === 0) {
    if (totalSize > options.sizeMax) return answer(draft, options, FILE_STATUS.aborted);
  } else {
    if (same?.verdict !== undefined) return progress(draft, options, same);
    if (same?.receivedSize !== offset) return answer(draft, options, FILE_STATUS.malformed);
  }
  draft.file = { type, totalSize, receivedSize: end, last: data, verdict: undefined };
  draft.effects.push({ kind: 'file', type, totalSize, offset, data, complete: end === totalSize });
  return progress(draft, options, draft.file);
}

/** What the device makes of the file; told in answer to the next fragment or question. */
export function judgeFile(draft: PdDraft, verdict: PdFileVerdict): void {
  if (draft.file !== undefined) draft.file = { ...draft.file, verdict };
}

function progress(draft: PdDraft, options: PdFileOptions, { verdict, receivedSize, totalSize }: FileReceiver): Reply {
  return answer(draft, options, FILE_STATUS[verdict ?? (receivedSize === totalSize ? 'finishing' : 'proceed')]);
}

function answer(draft: PdDraft, options: PdFileOptions, status: number): Reply {
  const { exclusive = false, delayMs = 0, messageSizeMax = 0 } = options;
  return {
    name: 'FTSTAT',
    action: (exclusive ? 0 : FILE_ACTION.interleaved) | (draft.reports.length > 0 ? FILE_ACTION.pollWaiting : 0),
    delayMs: status === FILE_STATUS.finishing ? Math.max(delayMs, FINISHING_DELAY_MS) : delayMs,
    status,
    messageSizeMax,
  };
}
