import type { MeshHistory } from '../mesh-history.js';
import type { Violations } from '../violation.js';

/** No entry is written to a platter a second time. */
export function checkNothingTwice({ platters }: MeshHistory, violations: Violations): void {
  for (const { machine, replicas } of platters) {
    for (const [name, { entries }] of replicas) {
      const distinct = new Set(entries.map(({ sequence }) => sequence));
      if (distinct.size === entries.length) continue;
      violations.add('nothing-twice', `${machine} wrote ${entries.length - distinct.size} entries of ${name} again`);
    }
  }
}
