import { RECEIVE_SIZE_MIN } from './frame.js';
import { payloadSizeMax } from './multipart.js';
import { fragmentSizeIn, whole } from './multipart-codecs.js';
import { ACK } from './pd-answers.js';
import { judgeFile } from './pd-file.js';
import { isActive } from './pd-outputs.js';
import { dialectOf, type PdDraft } from './pd-state.js';
import type { PdEvent } from './pd-types.js';
import { encodeReply, isFragmented, type Reply } from './replies.js';
import { encodeTransparentReply } from './smart-card.js';
import { fmtDirection } from './tolerance.js';

/** Reports that wait for a POLL. The oldest is dropped for the newest: what happens now matters most at a door. */
const REPORTS_MAX = 32;

export const localStatus = ({ tampered, powerFailed }: PdDraft): Reply => ({ name: 'LSTATR', tampered, powerFailed });
export const inputStatus = ({ inputs }: PdDraft): Reply => ({ name: 'ISTATR', inputs });
export const readerStatus = ({ readers }: PdDraft): Reply => ({ name: 'RSTATR', readers });
export const outputStatus = ({ outputs }: PdDraft): Reply => ({
  name: 'OSTATR',
  outputs: outputs.map((output) => (isActive(output) ? 1 : 0)),
});

/** @throws CodecError for what no reply can carry. */
export function report(draft: PdDraft, reply: Reply): void {
  encodeReply(reply);
  draft.reports = [...draft.reports, reply].slice(-REPORTS_MAX);
}

/** The answer to POLL: the oldest report, or ACK. A long one leaves part by part, with nothing in between. */
export function takeReport(draft: PdDraft): Reply {
  const [oldest, ...others] = draft.reports;
  draft.reports = others;
  return oldest === undefined ? ACK : firstPart(draft, oldest);
}

/** The part of a reply that fits into a frame. What remains of it is the next report. */
export function firstPart(draft: PdDraft, reply: Reply): Reply {
  if (!isFragmented(reply)) return reply;
  const { acuReceiveSize = RECEIVE_SIZE_MIN, security } = draft;
  const size = fragmentSizeIn(payloadSizeMax(acuReceiveSize, security.kind === 'established'), reply);
  if (reply.data.length <= size) return reply;
  const { offset, data } = reply;
  draft.reports = [{ ...reply, offset: offset + size, data: data.slice(size) }, ...draft.reports];
  return { ...reply, data: data.slice(0, size) };
}

/** The session is over: what the ACU has begun to put together, it has forgotten. */
export function dropPartialReports(draft: PdDraft): void {
  draft.reports = draft.reports.filter((reply) => !isFragmented(reply) || reply.offset === 0);
}

/** Takes back reports that nobody waits for any more. */
export function withdraw(draft: PdDraft, ...names: readonly Reply['name'][]): void {
  draft.reports = draft.reports.filter(({ name }) => !names.includes(name));
}

/** Something happens at the device; what is no change is not reported. */
export function happen(draft: PdDraft, event: PdEvent): void {
  switch (event.kind) {
    case 'card': {
      const { reader, format, bitCount, bits } = event;
      return report(draft, { name: 'RAW', reader, format, bitCount, bits });
    }
    case 'keypad':
      return report(draft, { name: 'KEYPAD', reader: event.reader, keys: event.keys });
    case 'input':
      if (draft.inputs[event.number] === undefined || draft.inputs[event.number] === event.status) return;
      draft.inputs = draft.inputs.with(event.number, event.status);
      return report(draft, inputStatus(draft));
    case 'reader':
      if (draft.readers[event.number] === undefined || draft.readers[event.number] === event.status) return;
      draft.readers = draft.readers.with(event.number, event.status);
      return report(draft, readerStatus(draft));
    case 'tamper':
      if (draft.tampered === event.tampered) return;
      draft.tampered = event.tampered;
      return report(draft, localStatus(draft));
    case 'power':
      if (draft.powerFailed === event.failed) return;
      draft.powerFailed = event.failed;
      return report(draft, localStatus(draft));
    case 'characters': {
      const { reader, forward, characters } = event;
      return report(draft, {
        name: 'FMT',
        reader,
        direction: fmtDirection(forward, dialectOf(draft.options)),
        characters,
      });
    }
    case 'biometricRead': {
      const { reader, status, type, quality, template } = event;
      return report(draft, { name: 'BIOREADR', reader, status, type, quality, ...whole(template) });
    }
    case 'biometricMatch':
      return report(draft, { name: 'BIOMATCHR', reader: event.reader, status: event.status, score: event.score });
    case 'pivData':
      return report(draft, { name: 'PIVDATAR', ...whole(event.data) });
    case 'authenticated':
      return report(draft, { name: event.name === 'GENAUTH' ? 'GENAUTHR' : 'CRAUTHR', ...whole(event.data) });
    case 'smartCard':
      return report(draft, encodeTransparentReply(event.reply, dialectOf(draft.options)));
    case 'manufacturer':
      return report(draft, { name: 'MFGREP', vendor: event.vendor, data: event.data });
    case 'manufacturerStatus':
      return report(draft, { name: 'MFGSTATR', data: event.data });
    case 'manufacturerError':
      return report(draft, { name: 'MFGERRR', data: event.data });
    case 'file':
      return judgeFile(draft, event.verdict);
  }
}
