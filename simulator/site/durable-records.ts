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
import type { DurableRecord } from '../scenarios/index.js';
import type { SimulatedDisk } from '../world/index.js';

/** The events on the platter, and the first thing that is wrong with the chain they are in. */
export function readEvents(
  disk: SimulatedDisk<LogCommit>,
  author: Uint8Array,
): { readonly records: DurableRecord[]; readonly problem?: string } {
  const records: DurableRecord[] = [];
  const key = Buffer.from(author).toString('hex');
  let link: Link | undefined;
  try {
    for (const { item, atMs } of disk.durableItems()) {
      for (const entry of item.entries) {
        link = nextLink(nodeCrypto, author, link, entry).link;
        if (!sameBytes(link.hash, entry.hash)) throw new Error(`entry ${entry.sequence} was altered`);
        const { kind, hlc, body } = EntryContent.decode(entry.content);
        if (kind !== EVENT_KIND) continue;
        const record = decodeEvent(body);
        const { name, doorId, accessPointId, credentialId, reason } = record;
        const id = { author: key, epoch: entry.epoch.counter, sequence: entry.sequence };
        records.push({ name, doorId, accessPointId, credentialId, reason, durableAtMs: atMs, record, id, hlc });
      }
      if (link === undefined || !sameBytes(item.head.hash, link.hash) || !isSignatureValid(nodeCrypto, item.head)) {
        throw new Error('a head does not sign what is before it');
      }
    }
  } catch (error) {
    return { records, problem: error instanceof Error ? error.message : String(error) };
  }
  return { records };
}
