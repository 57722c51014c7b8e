import type { CredentialHolder, HashedCredential, PolicyContent } from '@sparc/protocol/policy';
import { PEOPLE_SECTIONS, RevisionCutter, type CutRevision, type PartTools } from '@sparc/protocol/policy-revision';
import type { Part } from '@sparc/protocol/ports';
import { sealPart, type Database, type Site, type Transaction } from '../db/index.js';
import { toHex } from '../platform/index.js';

/** Parts are inserted so many at once, some 30 KiB each; those of a large site do not wait in memory for the last. */
const INSERTED_MAX = 128;

export type Stream<T> = AsyncIterable<T> | Iterable<T>;

/** A policy whose people may still be on their way, each list in the order of its ids. */
export type PolicyStream = Omit<PolicyContent, 'holders' | 'credentials'> & {
  readonly holders: Stream<CredentialHolder>;
  readonly credentials: Stream<HashedCredential>;
};

/**
 * Cuts a policy, stores what parts of it are not there yet as they are made, and returns what is to be signed. Throws
 * ERR_POLICY_INVALID, and as its people are taken: parts that no revision names are there then, for a later one.
 */
export async function storePolicy(
  database: Database,
  tools: PartTools,
  of: Site,
  content: PolicyStream,
): Promise<CutRevision> {
  const { seal, known } = await database.inTenant(of.tenant, async ({ query, seals }) => {
    const rows = await query.selectFrom('policy_parts').select('hash').where('site_id', '=', of.site).execute();
    return { seal: seals.of('part', of.site), known: new Set(rows.map(({ hash }) => toHex(hash))) };
  });
  const parts: Part[] = [];
  const cutter = new RevisionCutter(tools, content, (part) => {
    const mark = toHex(seal.mark(part.hash));
    if (known.has(mark)) return;
    known.add(mark);
    parts.push(part);
  });
  const store = () => database.inTenant(of.tenant, (transaction) => storeParts(transaction, of, parts.splice(0)));
  for (const section of PEOPLE_SECTIONS) {
    for await (const record of content[section]) {
      cutter.add(section, record);
      if (parts.length >= INSERTED_MAX) await store();
    }
  }
  const revision = cutter.end();
  await store();
  return revision;
}

/** Returns how many were not there yet. */
export async function storeParts(
  { query, seals }: Transaction,
  { tenant, site }: Site,
  parts: readonly Part[],
): Promise<number> {
  const seal = seals.of('part', site);
  let newCount = 0;
  for (let first = 0; first < parts.length; first += INSERTED_MAX) {
    const rows = parts
      .slice(first, first + INSERTED_MAX)
      .map((part) => ({ tenant_id: tenant, site_id: site, ...sealPart(seal, part) }));
    const stored = await query
      .insertInto('policy_parts')
      .values(rows)
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirst();
    newCount += Number(stored.numInsertedOrUpdatedRows ?? 0n);
  }
  return newCount;
}
