import { emptied, type LedgerCrypto } from '@sparc/protocol/ledger';
import { RunDigest } from '../../world/index.js';
import { toHex, type MeshHistory, type WrittenEpoch } from '../mesh-history.js';
import type { Violations } from '../violation.js';

/**
 * After the heal all hold the same of each author, and it says the same as the author's own journal, where that has
 * one past only. Of an entry that passes a digest of its body says it, whether it was emptied or not.
 */
export function checkReplicasAgree(
  { platters, authors }: Pick<MeshHistory, 'platters' | 'authors'>,
  crypto: LedgerCrypto,
  violations: Violations,
): void {
  for (const author of authors) {
    const journal = platters.find((platter) => platter.author === author && !platter.hasTwoPasts);
    const others = platters.filter((platter) => platter.author !== undefined && platter.author !== author);
    const expected =
      journal === undefined ? foldOf(others[0]?.replicas, author, crypto) : foldOf(journal.own, author, crypto);
    for (const { machine, replicas } of others) {
      const found = foldOf(replicas, author, crypto);
      if (found === expected) continue;
      const name = author.slice(0, 16);
      violations.add('replicas-agree', `${machine} holds of ${name} ${found} and others ${expected}`);
    }
  }
}

/** All that an author's log says, in one order whoever received it in which. */
function foldOf(epochs: ReadonlyMap<string, WrittenEpoch> | undefined, author: string, crypto: LedgerCrypto): string {
  const digest = new RunDigest();
  const own = [...(epochs ?? [])].filter(([, epoch]) => epoch.author === author).sort(([a], [b]) => (a < b ? -1 : 1));
  let count = 0;
  for (const [name, { entries }] of own) {
    digest.add(name);
    for (const { sequence, content } of entries) {
      digest.add(`${sequence} ${toHex(emptied(crypto, content) ?? content)}`);
      count += 1;
    }
  }
  return `${count} entries (${digest.toString()})`;
}
