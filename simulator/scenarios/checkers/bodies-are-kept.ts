import { EntryContent } from '@sparc/protocol/ledger';
import type { MeshHistory } from '../mesh-history.js';
import type { Violations } from '../violation.js';

/**
 * Where a cloud is restored from a copy that is younger than entries are kept beside it, no gateway has emptied what it lost: after
 * the heal it has the body of each entry.
 */
export function checkBodiesAreKept({ platters }: Pick<MeshHistory, 'platters'>, violations: Violations): void {
  for (const { machine } of platters.filter(({ author }) => author === undefined)) {
    const count = emptiedCount({ platters: platters.filter((platter) => platter.machine === machine) });
    if (count > 0) violations.add('bodies-are-kept', `${machine} has ${count} entries without what they said`);
  }
}

/** Entries on all platters of which there is no more than a digest. */
export const emptiedCount = ({ platters }: Pick<MeshHistory, 'platters'>): number =>
  platters
    .flatMap(({ own, replicas }) => [...own.values(), ...replicas.values()])
    .flatMap(({ entries }) => entries)
    .filter(({ content }) => EntryContent.decode(content).digest !== undefined).length;
