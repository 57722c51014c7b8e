import { STATE_KINDS } from '@sparc/protocol/authority';
import { HLC_ZERO } from '@sparc/protocol/hlc';
import { EntryContent, type SignedHead } from '@sparc/protocol/ledger';
import { POLICY_KIND, PolicyRevision, type Said } from '@sparc/protocol/policy-revision';
import { openEntry, SEALED_ENTRY, type Transaction } from '../db/index.js';

/** Of so many signed last, one has the highest number, however often the authority was restored from a backup. */
const REVISIONS_READ_MAX = 32;

/** What the state of an authority is made of, in the order of its log. */
export async function stateEntries(
  { query, seals }: Transaction,
  author: Uint8Array,
): Promise<readonly EntryContent[]> {
  const rows = await query
    .selectFrom('events')
    .select(SEALED_ENTRY)
    .where('author', '=', Buffer.from(author))
    .where('kind', 'in', STATE_KINDS)
    .orderBy('epoch')
    .orderBy('epoch_random')
    .orderBy('sequence')
    .execute();
  return rows.map((row) => EntryContent.decode(openEntry(seals, row).content));
}

/** Of those with the highest number, the one that was signed last. */
export async function newestRevision(
  { query, seals }: Transaction,
  author: Uint8Array,
): Promise<PolicyRevision | undefined> {
  const rows = await query
    .selectFrom('events')
    .select(SEALED_ENTRY)
    .where('author', '=', Buffer.from(author))
    .where('kind', '=', POLICY_KIND)
    .orderBy('hlc_unix_ms', 'desc')
    .orderBy('hlc_counter', 'desc')
    .limit(REVISIONS_READ_MAX)
    .execute();
  return rows
    .map((row) => PolicyRevision.decode(EntryContent.decode(openEntry(seals, row).content).body))
    .reduce<PolicyRevision | undefined>(
      (newest, each) => ((newest?.number ?? 0) < each.number ? each : newest),
      undefined,
    );
}

/** When the entry that a head names was made. */
export async function saidAt({ query, seals }: Transaction, head: SignedHead | undefined): Promise<Said> {
  if (head === undefined) return { hlc: HLC_ZERO, wallUnixMs: 0 };
  const row = await query
    .selectFrom('events')
    .select(SEALED_ENTRY)
    .where('author', '=', Buffer.from(head.author))
    .where('epoch', '=', head.epoch.counter)
    .where('epoch_random', '=', Buffer.from(head.epoch.random))
    .where('sequence', '=', head.sequence)
    .executeTakeFirstOrThrow();
  return EntryContent.decode(openEntry(seals, row).content);
}
