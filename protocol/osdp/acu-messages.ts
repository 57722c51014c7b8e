import { type AcuDraft, isSecure } from './acu-state.js';
import { assemble } from './multipart.js';
import { FILE_ACTION, FILE_STATUS, isFragmented, type Reply } from './replies.js';

/** A PD in an exclusive transfer is polled where its next fragment does not come for so long, or its session would end. */
const EXCLUSIVE_PAUSE_MS = 1_000;

/** Puts the fragments of a long reply together, and delivers it when it is whole. One that has a gap is dropped. */
export function collectFragments(draft: AcuDraft, nowMs: number, reply: Reply): void {
  if (!isFragmented(reply)) return;
  const { name } = reply;
  const before = draft.incoming?.name === name ? draft.incoming.assembly : undefined;
  const { state, result } = assemble(before, reply, nowMs);
  draft.incoming = state === undefined ? undefined : { name, assembly: state };
  if (result.kind === 'complete') {
    draft.effects.push({ kind: 'message', name, data: result.data, secure: isSecure(draft) });
  }
}

/** FTSTAT says whether the PD may be polled between fragments, and whether it waits for a POLL. */
export function paceTransfer(
  draft: AcuDraft,
  nowMs: number,
  { action, status }: Extract<Reply, { name: 'FTSTAT' }>,
): void {
  const goesOn = status === FILE_STATUS.proceed || status === FILE_STATUS.finishing;
  if (action & FILE_ACTION.pollWaiting) draft.pollAtMs = nowMs;
  else if (goesOn && !(action & FILE_ACTION.interleaved)) draft.pollAtMs = nowMs + EXCLUSIVE_PAUSE_MS;
}
