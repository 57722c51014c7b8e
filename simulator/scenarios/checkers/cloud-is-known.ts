import type { CloudHistory } from '../cloud-history.js';
import { epochName, toHex, type MeshHistory, type Platter, type WrittenEpoch } from '../mesh-history.js';
import type { Violations } from '../violation.js';

/** After the heal every gateway knows by the cloud's word how far that has each log, and not further. */
export function checkCloudIsKnown({ platters }: MeshHistory, { known }: CloudHistory, violations: Violations): void {
  const cloud = platters.find(({ author }) => author === undefined);
  if (cloud === undefined) return;
  for (const { machine, heads, refusedCount } of known) {
    const add = (what: string) => violations.add('cloud-is-known', `${machine} ${what}`);
    if (refusedCount > 0) add(`took ${refusedCount} messages of the cloud for those of another`);
    const sequences = new Map<string, number>();
    for (const { author, epoch, sequence, hash } of heads) {
      const name = epochName({ author, epoch });
      sequences.set(name, sequence);
      const entry = cloud.replicas.get(name)?.entries[sequence - 1];
      if (entry === undefined || toHex(entry.hash) !== toHex(hash)) add(`takes ${name} ${sequence} for stored`);
    }
    for (const [name, { entries }] of newestOf(cloud)) {
      if (sequences.get(name) !== entries.length) add(`does not know that ${name} ${entries.length} is stored`);
    }
  }
}

/** Of each author, which lead to all others: of two with one number both. */
function newestOf({ replicas }: Platter): readonly (readonly [string, WrittenEpoch])[] {
  const epochs = [...replicas];
  const isNewest = ({ author, epoch }: WrittenEpoch) =>
    epochs.every(([, other]) => other.author !== author || other.epoch.counter <= epoch.counter);
  return epochs.filter(([, epoch]) => isNewest(epoch));
}
