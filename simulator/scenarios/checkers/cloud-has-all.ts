import type { MeshHistory } from '../mesh-history.js';
import type { Violations } from '../violation.js';

/** After the heal the cloud has every entry that any machine has. */
export function checkCloudHasAll({ platters, authors }: MeshHistory, violations: Violations): void {
  const machines = platters.filter(({ author }) => author !== undefined);
  for (const { replicas: stored } of platters.filter(({ author }) => author === undefined)) {
    for (const { machine, own, replicas } of machines) {
      for (const [name, { author, entries }] of [...own, ...replicas]) {
        const storedCount = stored.get(name)?.entries.length ?? 0;
        if (storedCount >= entries.length || !authors.has(author)) continue;
        violations.add('cloud-has-all', `it has ${storedCount} entries of ${name}, and ${machine} ${entries.length}`);
      }
    }
  }
}
