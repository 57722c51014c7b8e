import { BAUD_RATES, type Command, TEXT_COMMAND, TICK_MS, TONE } from './commands.js';
import { ADDRESS_MAX } from './frame.js';
import { NAK } from './nak.js';
import { controlLed, ledProblem } from './pd-leds.js';
import { controlOutput, outputProblem } from './pd-outputs.js';
import { inputStatus, localStatus, outputStatus, readerStatus, takeReport } from './pd-reports.js';
import type { PdDraft } from './pd-state.js';
import type { Reply } from './replies.js';
import { KEY_SELECTION } from './session-keys.js';

const ACK: Reply = { name: 'ACK' };

export const nak = (error: number, ...details: number[]): Reply => ({
  name: 'NAK',
  error,
  details: Uint8Array.from(details),
});

/** Obeys a command that has passed sequence and security, and says what to answer. */
export function execute(draft: PdDraft, nowMs: number, command: Command): Reply {
  switch (command.name) {
    case 'POLL':
      return takeReport(draft);
    case 'ID':
      return command.type === 0 ? { name: 'PDID', ...draft.options.id } : nak(NAK.record);
    case 'CAP':
      return { name: 'PDCAP', capabilities: draft.options.capabilities };
    case 'LSTAT':
      return localStatus(draft);
    case 'ISTAT':
      return inputStatus(draft);
    case 'OSTAT':
      return outputStatus(draft);
    case 'RSTAT':
      return readerStatus(draft);
    case 'OUT':
      if (command.records.some((record) => outputProblem(draft.outputs, record))) return nak(NAK.record);
      for (const record of command.records) controlOutput(draft, nowMs, record);
      return outputStatus(draft);
    case 'LED':
      if (command.records.some((record) => ledProblem(draft.leds, record))) return nak(NAK.record);
      for (const record of command.records) controlLed(draft, nowMs, record);
      return ACK;
    case 'BUZ':
      return sound(draft, command);
    case 'TEXT':
      return show(draft, command);
    case 'COMSET':
      return setCommunication(draft, command);
    case 'KEYSET':
      return setKey(draft, command);
    case 'CHLNG':
    case 'SCRYPT':
    case 'MFG':
      return nak(NAK.commandUnknown);
  }
}

type Of<N extends Command['name']> = Extract<Command, { name: N }>;

function sound(draft: PdDraft, { reader, tone, onTicks, offTicks, count }: Of<'BUZ'>): Reply {
  if (reader >= draft.options.readerCount || tone > TONE.default) return nak(NAK.record);
  if (tone === TONE.none) return ACK;
  draft.effects.push({
    kind: 'buzzer',
    reader,
    sounding: tone !== TONE.off,
    onMs: onTicks * TICK_MS,
    offMs: offTicks * TICK_MS,
    count,
  });
  return ACK;
}

function show(draft: PdDraft, { reader, command, temporarySeconds, row, column, text }: Of<'TEXT'>): Reply {
  const known = command >= TEXT_COMMAND.permanent && command <= TEXT_COMMAND.temporaryWrapped;
  if (reader >= draft.options.readerCount || !known || row === 0 || column === 0) return nak(NAK.record);
  const temporary = command === TEXT_COMMAND.temporary || command === TEXT_COMMAND.temporaryWrapped;
  draft.effects.push({
    kind: 'text',
    reader,
    row,
    column,
    wrapped: command === TEXT_COMMAND.permanentWrapped || command === TEXT_COMMAND.temporaryWrapped,
    text,
    ...(temporary ? { durationMs: temporarySeconds * 1_000 } : {}),
  });
  return ACK;
}

/** Answers with the values that will be in force: what the PD does not support stays as it is. */
function setCommunication(draft: PdDraft, command: Of<'COMSET'>): Reply {
  const address = command.address <= ADDRESS_MAX ? command.address : draft.address;
  const supported = BAUD_RATES.some((rate) => rate === command.baudRate);
  return { name: 'COM', address, baudRate: supported ? command.baudRate : draft.baudRate };
}

/**
 * Only inside a session, and only in install mode where that session is one under SCBK-D. The session lives on until the
 * ACU negotiates the next one.
 */
function setKey(draft: PdDraft, { key }: Of<'KEYSET'>): Reply {
  if (draft.security.kind !== 'established') return nak(NAK.encryptionRequired);
  if (draft.security.keySelection === KEY_SELECTION.scbkDefault && !draft.installMode) return nak(NAK.record);
  draft.scbk = key;
  draft.installMode = false;
  draft.effects.push({ kind: 'key', scbk: key });
  return ACK;
}
