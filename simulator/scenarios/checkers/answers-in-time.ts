import type { SiteHistory } from '../site-history.js';
import type { Violations } from '../violation.js';

/** Access-control 4.0, rule 11: something is shown within 500 ms; and the way to the reader and back. */
const ANSWER_MAX_MS = 700;

/** Promise 1: whatever the disk does, a person at a reader is answered. */
export function checkAnswersInTime(history: SiteHistory, violations: Violations): void {
  for (const { accessPoint, atMs } of history.presentations) {
    const device = history.deviceOf.get(accessPoint.reader) ?? '';
    if (!history.wereWhole(['gateway', device], atMs, atMs + ANSWER_MAX_MS)) continue;
    if (!history.indications.isWithin(accessPoint.reader, atMs, atMs + ANSWER_MAX_MS)) {
      violations.add('answers-in-time', `${accessPoint.reader} showed nothing to the card of ${atMs} ms`);
    }
  }
}
