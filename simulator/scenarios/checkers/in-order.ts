import type { MeshHistory } from '../mesh-history.js';
import type { Violations } from '../violation.js';

/** An entry is written behind the one before it. */
export function checkInOrder({ platters }: MeshHistory, violations: Violations): void {
  for (const { machine, replicas } of platters) {
    for (const [name, { entries }] of replicas) {
      let last = 0;
      for (const { sequence } of entries) {
        if (sequence > last + 1) violations.add('in-order', `${machine} wrote ${name} ${sequence} behind ${last}`);
        last = Math.max(last, sequence);
      }
    }
  }
}
