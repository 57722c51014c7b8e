import { EntryContent, EpochBody, hashEntry, NO_HASH, type LedgerCrypto } from '@sparc/protocol/ledger';
import { toHex, type MeshHistory, type WrittenEpoch } from '../mesh-history.js';
import type { Violations } from '../violation.js';

/** Every byte on a platter is one that its author committed: the contents alone give the author's hashes again. */
export function checkAsCommitted(
  { platters, committed }: MeshHistory,
  crypto: LedgerCrypto,
  violations: Violations,
): void {
  for (const { machine, replicas } of platters) {
    for (const [name, written] of replicas) {
      const hashes = committed.get(name)?.hashes ?? [];
      const wrongIndex = hashesOf(written, crypto).findIndex((hash, index) => hash !== hashes[index]);
      if (wrongIndex < 0) continue;
      violations.add('as-committed', `${machine} has another entry ${wrongIndex + 1} of ${name} than its author`);
    }
  }
}

function hashesOf({ author, epoch, entries }: WrittenEpoch, crypto: LedgerCrypto): string[] {
  const hashes: string[] = [];
  let previousHash: Uint8Array = NO_HASH;
  for (const { sequence, content } of entries) {
    if (sequence === 1) previousHash = EpochBody.decode(EntryContent.decode(content).body).previous?.hash ?? NO_HASH;
    const place = { author: Uint8Array.from(Buffer.from(author, 'hex')), epoch, sequence, previousHash };
    previousHash = hashEntry(crypto, place, content);
    hashes.push(toHex(previousHash));
  }
  return hashes;
}
