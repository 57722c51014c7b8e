import type { Entitlement } from '../entitlement.js';
import { between } from '../instants.js';
import type { DurableRecord, SiteHistory } from '../site-history.js';
import type { Violations } from '../violation.js';

const DECISIONS = new Set(['access.granted', 'access.denied']);
/** A decision is on the disk so long after it at most, while nothing is out of order. */
const RECORD_MAX_MS = 10_000;

/**
 * Promise 3: each presentation to a whole site ends in one record that says grant or deny as the site file does, and the
 * reason of a denial is the first that holds.
 */
export function checkSaidWhy(history: SiteHistory, violations: Violations): void {
  const decisions = history.records.filter(({ name }) => DECISIONS.has(name));
  for (const presentation of history.presentations) {
    const { accessPoint, doorId, credentialId, isNew, atMs, completedAtMs, entitlement } = presentation;
    const endMs = completedAtMs + RECORD_MAX_MS;
    const devices = [doorId, accessPoint.reader].map((id) => history.deviceOf.get(id) ?? '');
    if (endMs > history.endMs || !history.wereWhole(['gateway', 'disk', 'commands', ...devices], atMs, endMs)) continue;
    const names = (record: DurableRecord) =>
      record.credentialId === credentialId || (isNew === true && record.credentialId === undefined);
    const found = between(decisions, ({ durableAtMs }) => durableAtMs, atMs, endMs).filter(
      (record) => record.accessPointId === accessPoint.id && names(record),
    );
    const [decision] = found;
    const what = `the card of ${atMs} ms at ${accessPoint.id}`;
    if (decision === undefined || found.length > 1) {
      violations.add('said-why', `${what} has ${found.length} decisions on record`);
    } else if (!agrees(decision, entitlement)) {
      const said = `${decision.name} ${decision.reason ?? ''}`;
      violations.add('said-why', `${what} was recorded as ${said} and is ${JSON.stringify(entitlement)}`);
    }
  }
}

function agrees({ name, reason }: DurableRecord, entitlement: Entitlement): boolean {
  switch (entitlement.outcome) {
    case 'grant':
      return name === 'access.granted';
    case 'deny':
      return name === 'access.denied' && reason !== undefined && entitlement.reasons.includes(reason);
    case 'either':
      return true;
  }
}
