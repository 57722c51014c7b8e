import { sameBytes } from '@sparc/protocol/ledger';
import type { CloudHistory } from '../cloud-history.js';
import { epochName } from '../mesh-history.js';
import type { Violations } from '../violation.js';

/** What the cloud signs to have on its disk is there, with that hash, before the word leaves it. */
export function checkAcknowledgedIsStored({ said }: CloudHistory, violations: Violations): void {
  for (const { head, storedHash } of said) {
    if (storedHash !== undefined && sameBytes(storedHash, head.hash)) continue;
    const what = storedHash === undefined ? 'nothing' : 'another entry';
    violations.add('acknowledged-is-stored', `of ${epochName(head)} ${head.sequence} the cloud has ${what}`);
  }
}
