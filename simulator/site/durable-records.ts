import { nodeCrypto } from '@sparc/edge/ledger';
import {
  decodeEvent,
  EntryContent,
  EVENT_KIND,
  isSignatureValid,
  nextLink,
  sameBytes,
  type Link,
} from '@sparc/protocol/ledger';
import type { LogCommit } from '@sparc/protocol/ports';
import { epochName, type DurableRecord } from '../scenarios/index.js';
import type { DurableItem } from '../world/index.js';

/** What was on a platter, from the first commit on. */
export type CommitChain = readonly DurableItem<LogCommit>[];

/** The events that were on a platter before it was set back and since, each once, and the first thing that is wrong with a chain. */
export function readEvents(
  chains: readonly CommitChain[],
  author: Uint8Array,
): { readonly records: DurableRecord[]; readonly problem?: string } {
  const records: DurableRecord[] = [];
  const read = new Set<DurableItem<LogCommit>>();
  try {
    for (const chain of chains) {
      readChain(chain, author, (durable, record) => !read.has(durable) && records.push(record));
      for (const durable of chain) read.add(durable);
    }
  } catch (error) {
    return { records, problem: error instanceof Error ? error.message : String(error) };
  }
  return { records: records.sort((a, b) => a.durableAtMs - b.durableAtMs) };
}

function readChain(
  chain: CommitChain,
  author: Uint8Array,
  onRecord: (durable: DurableItem<LogCommit>, record: DurableRecord) => void,
): void {
  const key = Buffer.from(author).toString('hex');
  let link: Link | undefined;
  for (const durable of chain) {
    const { item, atMs } = durable;
    for (const entry of item.entries) {
      link = nextLink(nodeCrypto, author, link, entry).link;
      if (!sameBytes(link.hash, entry.hash)) throw new Error(`entry ${entry.sequence} was altered`);
      const { kind, hlc, body } = EntryContent.decode(entry.content);
      if (kind !== EVENT_KIND) continue;
      const record = decodeEvent(body);
      const { name, doorId, accessPointId, credentialId, reason } = record;
      const id = { author: key, epoch: entry.epoch.counter, sequence: entry.sequence };
      const epoch = epochName({ author, epoch: entry.epoch });
      const durableAtMs = atMs;
      onRecord(durable, { name, doorId, accessPointId, credentialId, reason, durableAtMs, record, id, epoch, hlc });
    }
    if (link === undefined || !sameBytes(item.head.hash, link.hash) || !isSignatureValid(nodeCrypto, item.head)) {
      throw new Error('a head does not sign what is before it');
    }
  }
}
