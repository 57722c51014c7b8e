import type { PdDraft } from './pd-state.js';
import { isActive } from './pd-outputs.js';
import type { PdEvent } from './pd-types.js';
import { encodeReply, type Reply } from './replies.js';

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

/** The answer to POLL: the oldest report, or ACK. */
export function takeReport(draft: PdDraft): Reply {
  const [oldest, ...others] = draft.reports;
  draft.reports = others;
  return oldest ?? { name: 'ACK' };
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
  }
}
