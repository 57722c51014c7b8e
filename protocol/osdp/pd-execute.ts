import { CAPABILITY, complianceOf } from './capabilities.js';
import { BAUD_RATES, type Command, type CommandName, encodeCommand, TEXT_COMMAND, TICK_MS, TONE } from './commands.js';
import { encodeExtendedId } from './extended-id.js';
import { ADDRESS_MAX, RECEIVE_SIZE_MIN } from './frame.js';
import { whole } from './multipart-codecs.js';
import { NAK } from './nak.js';
import { ACK, nak } from './pd-answers.js';
import { receiveFile } from './pd-file.js';
import { controlLed, ledProblem } from './pd-leds.js';
import { controlOutput, outputProblem } from './pd-outputs.js';
import { firstPart, inputStatus, localStatus, outputStatus, readerStatus, takeReport, withdraw } from './pd-reports.js';
import { abort, requestAuthentication, requestBiometrics, requestPivData, requestTransparent } from './pd-requests.js';
import type { PdDraft } from './pd-state.js';
import type { PdOptions } from './pd-types.js';
import type { Reply } from './replies.js';
import { KEY_SELECTION } from './session-keys.js';

/** Obeys a command that has passed sequence and security, and says what to answer. */
export function execute(draft: PdDraft, nowMs: number, command: Command): Reply {
  if (!knows(draft.options, command)) return nak(NAK.commandUnknown, encodeCommand(command).code);
  switch (command.name) {
    case 'POLL':
      return takeReport(draft);
    case 'ID':
      return identify(draft, command);
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
    case 'TDSET':
      return setTime(draft, command);
    case 'ACURXSIZE':
      if (command.size < RECEIVE_SIZE_MIN) return nak(NAK.record);
      draft.acuReceiveSize = command.size;
      return ACK;
    case 'FILETRANSFER':
      return draft.options.file === undefined ? nak(NAK.record) : receiveFile(draft, command, draft.options.file);
    case 'MFG':
      if (!draft.options.manufacturerVendors?.includes(command.vendor)) return nak(NAK.record);
      draft.effects.push({ kind: 'manufacturer', vendor: command.vendor, data: command.data });
      return ACK;
    case 'BIOREAD':
    case 'BIOMATCH':
      return requestBiometrics(draft, command);
    case 'PIVDATA':
      return requestPivData(draft, command);
    case 'GENAUTH':
    case 'CRAUTH':
      return requestAuthentication(draft, nowMs, command);
    case 'XWR':
      return requestTransparent(draft, command);
    case 'KEEPACTIVE':
      draft.effects.push({ kind: 'keepActive', durationMs: command.durationMs });
      return ACK;
    case 'ABORT':
      return abort(draft);
    case 'CHLNG':
    case 'SCRYPT':
      return nak(NAK.record);
  }
}

type Of<N extends Command['name']> = Extract<Command, { name: N }>;

/** What PDCAP does not list, the PD does not know. */
function knows(options: PdOptions, { name }: Command): boolean {
  if (name === 'MFG') return options.manufacturerVendors !== undefined;
  if (name === 'FILETRANSFER') return options.file !== undefined;
  const needed = CAPABILITY_OF[name];
  return needed === undefined || complianceOf(options.capabilities, needed) > 0;
}

const CAPABILITY_OF: Readonly<Partial<Record<CommandName, number>>> = {
  TDSET: CAPABILITY.timeKeeping,
  BIOREAD: CAPABILITY.biometrics,
  BIOMATCH: CAPABILITY.biometrics,
  PIVDATA: CAPABILITY.smartCard,
  GENAUTH: CAPABILITY.smartCard,
  CRAUTH: CAPABILITY.smartCard,
  XWR: CAPABILITY.smartCard,
  KEEPACTIVE: CAPABILITY.smartCard,
};

/** 0 is PDID; 1 the extended one, whose further fragments follow on POLL. */
function identify(draft: PdDraft, { type }: Of<'ID'>): Reply {
  const { id, extendedId } = draft.options;
  if (type === 0) return { name: 'PDID', ...id };
  if (type !== 1 || extendedId === undefined) return nak(NAK.record);
  withdraw(draft, 'EXT_PDID');
  return firstPart(draft, { name: 'EXT_PDID', ...whole(encodeExtendedId(extendedId)) });
}

function setTime(draft: PdDraft, { name: _name, ...time }: Of<'TDSET'>): Reply {
  const { month, day, hour, minute, second } = time;
  const exists = month >= 1 && month <= 12 && day >= 1 && day <= 31 && hour <= 23 && minute <= 59 && second <= 59;
  if (!exists) return nak(NAK.record);
  draft.effects.push({ kind: 'timeSet', ...time });
  return ACK;
}

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
