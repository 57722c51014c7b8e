import { assembleAuthentication } from './authentication.js';
import { BIOMETRIC_FORMAT, BIOMETRIC_TYPE } from './biometrics.js';
import { CAPABILITY, complianceOf } from './capabilities.js';
import type { Command } from './commands.js';
import { NAK } from './nak.js';
import { ACK, nak } from './pd-answers.js';
import { withdraw } from './pd-reports.js';
import { dialectOf, type PdDraft } from './pd-state.js';
import type { Reply } from './replies.js';
import { decodeTransparentCommand, encodeTransparentReply } from './smart-card.js';

type Of<N extends Command['name']> = Extract<Command, { name: N }>;

/** Sensors of PDCAP 14: iris templates; the others are fingerprints. */
const IRIS_SENSOR = 3;
const TRANSPARENT_MODE = 1;

/** BIOREAD and BIOMATCH are passed on to the sensor; its answer is reported later. */
export function requestBiometrics(draft: PdDraft, command: Of<'BIOREAD' | 'BIOMATCH'>): Reply {
  const sensor = complianceOf(draft.options.capabilities, CAPABILITY.biometrics);
  if (command.reader >= draft.options.readerCount) return nak(NAK.record);
  const irises: readonly number[] = [BIOMETRIC_TYPE.rightIris, BIOMETRIC_TYPE.leftIris];
  const seen = sensor === IRIS_SENSOR ? irises.includes(command.type) : command.type <= BIOMETRIC_TYPE.leftLittleFinger;
  if (!seen && command.type !== BIOMETRIC_TYPE.unspecified) return nak(NAK.biometricType);
  const formatMax = sensor === IRIS_SENSOR ? BIOMETRIC_FORMAT.unspecified : BIOMETRIC_FORMAT.fingerprintTemplate;
  if (command.format > formatMax) return nak(NAK.biometricFormat);
  withdraw(draft, 'BIOREADR', 'BIOMATCHR');
  draft.effects.push({ kind: 'biometricRequest', command });
  return ACK;
}

export function requestPivData(draft: PdDraft, { objectId, element, offset }: Of<'PIVDATA'>): Reply {
  cancelCardRequests(draft);
  draft.effects.push({ kind: 'pivDataRequest', objectId, element, offset });
  return ACK;
}

/** Every fragment is acknowledged; with the last one the request is passed on to the card. */
export function requestAuthentication(draft: PdDraft, nowMs: number, command: Of<'GENAUTH' | 'CRAUTH'>): Reply {
  const { name } = command;
  const before = draft.incoming?.name === name ? draft.incoming.assembly : undefined;
  if (command.offset === 0) cancelCardRequests(draft);
  const { state, result } = assembleAuthentication(before, command, nowMs);
  draft.incoming = state === undefined ? undefined : { name, assembly: state };
  if (result.kind === 'refused') return nak(NAK.record);
  if (result.kind === 'complete') draft.effects.push({ kind: 'authenticate', name, request: result.request });
  return ACK;
}

/** The machine keeps the mode itself; in transparent mode everything else is passed on to the card. */
export function requestTransparent(draft: PdDraft, command: Of<'XWR'>): Reply {
  const decoded = decodeTransparentCommand(command);
  if (!decoded.ok) return nak(NAK.record);
  const request = decoded.value;
  switch (request.kind) {
    case 'getMode':
      return encodeTransparentReply({ kind: 'mode', ...draft.cardMode }, dialectOf(draft.options));
    case 'setMode':
      if (request.mode > TRANSPARENT_MODE) return nak(NAK.record);
      draft.cardMode = { mode: request.mode, reportCards: request.reportCards };
      draft.effects.push({ kind: 'smartCard', command: request });
      return ACK;
    case 'sendApdu':
    case 'terminate':
    case 'enterPin':
    case 'scan':
      if (draft.cardMode.mode !== TRANSPARENT_MODE || request.reader >= draft.options.readerCount)
        return nak(NAK.record);
      draft.effects.push({ kind: 'smartCard', command: request });
      return ACK;
  }
}

/** A new request, or ABORT: the answer to an earlier one is not sent any more. */
export function cancelCardRequests(draft: PdDraft): void {
  draft.incoming = undefined;
  withdraw(draft, 'PIVDATAR', 'GENAUTHR', 'CRAUTHR');
}

export function abort(draft: PdDraft): Reply {
  cancelCardRequests(draft);
  withdraw(draft, 'BIOREADR', 'BIOMATCHR', 'XRD', 'EXT_PDID');
  draft.file = undefined;
  draft.effects.push({ kind: 'abort' });
  return ACK;
}
