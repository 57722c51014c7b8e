import type { MeshHistory } from '../mesh-history.js';
import type { Violations } from '../violation.js';

/**
 * Nothing is lost that two others said to have: it is on every machine that runs. (One machine is gone for good and one
 * had its disks set back; with its author an entry was on three.)
 */
export function checkAcknowledgedIsKept(history: MeshHistory, violations: Violations): void {
  for (const [name, byMachine] of history.announced) {
    const by = history.committed.get(name)?.author;
    if (by !== undefined && !history.authors.has(by)) continue;
    const [, acknowledged = 0] = [...byMachine.values()].sort((a, b) => b - a);
    for (const { machine, author, replicas } of history.platters) {
      if (author === by) continue;
      const heldCount = replicas.get(name)?.entries.length ?? 0;
      if (heldCount < acknowledged) {
        violations.add(
          'acknowledged-is-kept',
          `${machine} has ${heldCount} entries of ${name}, and two others had ${acknowledged}`,
        );
      }
    }
  }
}
