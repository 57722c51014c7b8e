import { epochName, type Expulsion, type MeshHistory, type WrittenEpoch } from '../mesh-history.js';
import type { Violations } from '../violation.js';

/**
 * Of a gateway that was expelled every machine has what was attested in the end, and nothing behind it but what was on its
 * platter when it heard of the expulsion.
 */
export function checkExpelledIsBounded({ platters, expulsion }: MeshHistory, violations: Violations): void {
  if (expulsion === undefined) return;
  const { author, attested, evidence } = expulsion;
  for (const { machine, replicas } of platters) {
    const epochs = [...replicas].filter(([, epoch]) => epoch.author === author);
    const heldCount = replicas.get(epochName(attested))?.entries.length ?? 0;
    if (heldCount < attested.sequence) {
      violations.add('expelled-is-bounded', `${machine} has ${heldCount} of ${attested.sequence} attested entries`);
    }
    for (const [name, epoch] of epochs) {
      const mayHave = Math.max(attestedCount(expulsion, name, epoch), evidence.get(machine)?.get(name) ?? 0);
      if (epoch.entries.length <= mayHave) continue;
      violations.add(
        'expelled-is-bounded',
        `${machine} has ${epoch.entries.length} entries of ${name}, not ${mayHave}`,
      );
    }
  }
}

function attestedCount({ attested }: Expulsion, name: string, { epoch }: WrittenEpoch): number {
  if (name === epochName(attested)) return attested.sequence;
  return epoch.counter < attested.epoch.counter ? Infinity : 0;
}
