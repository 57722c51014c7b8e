import { keepBothKeys } from './acu-keys.js';
import type { AcuDraft, QueueEntry } from './acu-state.js';
import type { AcuInput, CommandOutcome } from './acu-types.js';
import { CodecError } from './codec-error.js';
import { type Command, encodeCommand } from './commands.js';
import type { OsdpErrorCode } from './error-codes.js';
import { FRAME_LENGTH_MAX } from './frame.js';
import { assertStrongKey } from './key-strength.js';
import { payloadSizeMax } from './multipart.js';

/** Entries of each priority that may wait; more are refused, so that what waits stays fresh. */
const QUEUE_LENGTH_MAX = 32;

type Enqueue = Extract<AcuInput, { kind: 'enqueue' }>;

export function enqueue(draft: AcuDraft, { command, token, deadlineMs, priority, nowMs }: Enqueue): void {
  const entry = { command, token, deadlineMs, priority };
  const refused = refusal(draft, entry, nowMs);
  if (refused !== undefined) {
    settle(draft, entry, refused);
  } else if (draft[priority].length >= QUEUE_LENGTH_MAX) {
    settle(draft, entry, { kind: 'notExecuted', reason: 'ERR_OSDP_QUEUE_FULL' });
  } else {
    draft[priority] = [...draft[priority], entry];
  }
}

function refusal(draft: AcuDraft, { command, deadlineMs }: QueueEntry, nowMs: number): CommandOutcome | undefined {
  const notExecuted = (reason: OsdpErrorCode, detail?: string): CommandOutcome =>
    detail === undefined ? { kind: 'notExecuted', reason } : { kind: 'notExecuted', reason, detail };
  if (command.name === 'CHLNG' || command.name === 'SCRYPT') {
    return notExecuted('ERR_OSDP_COMMAND_REFUSED', 'the machine negotiates Secure Channel by itself');
  }
  if (command.name === 'KEYSET' && draft.secureChannel.mode !== 'required') {
    return notExecuted('ERR_OSDP_COMMAND_REFUSED', 'a key is sent neither in clear nor under SCBK-D');
  }
  try {
    if (command.name === 'KEYSET') assertStrongKey(command.key);
    const { length } = encodeCommand(command).payload;
    if (length > payloadSizeMax(FRAME_LENGTH_MAX, true))
      return notExecuted('ERR_OSDP_LENGTH', `a payload of ${length} bytes is too long`);
  } catch (error) {
    if (error instanceof CodecError) return notExecuted(error.code, error.message);
    throw error;
  }
  if (draft.status === undefined || draft.status.link === 'offline') {
    return notExecuted(draft.status?.reason ?? 'ERR_OSDP_SILENT');
  }
  return deadlineMs < nowMs ? notExecuted('ERR_OSDP_DEADLINE') : undefined;
}

/** Reports the end of a command. */
export function settle(draft: AcuDraft, entry: QueueEntry, outcome: CommandOutcome): void {
  draft.effects.push({ kind: 'commandDone', token: entry.token, outcome });
}

/** Takes entries out that waited past their deadline: nothing leaves late. */
export function expireWaiting(draft: AcuDraft, nowMs: number): void {
  for (const priority of ['urgent', 'normal'] as const) {
    const late = draft[priority].filter((entry) => entry.deadlineMs < nowMs);
    if (late.length === 0) continue;
    draft[priority] = draft[priority].filter((entry) => entry.deadlineMs >= nowMs);
    for (const entry of late) settle(draft, entry, { kind: 'notExecuted', reason: 'ERR_OSDP_DEADLINE' });
  }
}

/** Gives up every command that waits. */
export function failWaiting(draft: AcuDraft, reason: OsdpErrorCode): void {
  for (const entry of [...draft.urgent, ...draft.normal]) settle(draft, entry, { kind: 'notExecuted', reason });
  draft.urgent = [];
  draft.normal = [];
}

/** Gives up the frame under way. Its effect is unknown: it was sent, and nothing trustworthy came back. */
export function abandonExchange(draft: AcuDraft, reason: OsdpErrorCode): void {
  const { command, entry } = draft.exchange ?? {};
  draft.exchange = undefined;
  if (command?.name === 'KEYSET') keepBothKeys(draft, command.key);
  if (entry !== undefined) settle(draft, entry, { kind: 'unknown', reason });
}

/** The PD has refused the frame unseen: its command waits again in front. */
export function requeueExchange(draft: AcuDraft): void {
  const entry = draft.exchange?.entry;
  draft.exchange = undefined;
  if (entry !== undefined) draft.urgent = [entry, ...draft.urgent];
}

/** What goes out next: an urgent command, the machine's own question, another command, or a POLL. */
export function takeNext(draft: AcuDraft, nowMs: number): { command: Command; entry: QueueEntry | undefined } {
  const [urgent, ...urgentRest] = draft.urgent;
  if (urgent !== undefined) {
    draft.urgent = urgentRest;
    return { command: urgent.command, entry: urgent };
  }
  // A stream of commands must not silence the reader, nor polls that are always late the commands: they take turns.
  const poll = { command: { name: 'POLL' }, entry: undefined } as const;
  if (nowMs >= draft.pollAtMs + draft.timings.pollIntervalMs && !draft.polledLast) return poll;
  const [question, ...questions] = draft.agenda;
  if (question !== undefined) {
    draft.agenda = questions;
    return { command: question, entry: undefined };
  }
  const [normal, ...normalRest] = draft.normal;
  if (normal === undefined) return poll;
  draft.normal = normalRest;
  return { command: normal.command, entry: normal };
}
