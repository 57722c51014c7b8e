import { isSparcError } from '@sparc/protocol/errors';
import { EntryContent } from '@sparc/protocol/ledger';
import { POLICY_KIND, PolicyRevision } from '@sparc/protocol/policy-revision';
import type { VerifySignature } from '@sparc/protocol/ports';
import { ROSTER_KIND, type Member } from '@sparc/protocol/roster';
import type { Site, Transaction } from '../db/index.js';
import { knownRoster } from './known-roster.js';
import { placeMembers, removeMember } from './member-rows.js';
import { isKeptHere } from './site-place.js';

type Query = Transaction['query'];

/** In the place of whoever published it. */
const UNKNOWN = 'unknown';
const OWNER = 'owner of the authority';

/**
 * What the authority of a site said comes from elsewhere: by its owner, or by way of gateways, which bring back what one that is
 * kept here signed before the database was restored. Who was enrolled or expelled by it has a row that says so, and each
 * revision one as well. `contents`: what came, which is stored.
 */
export async function placeSaid(
  transaction: Transaction,
  verify: VerifySignature,
  of: Site,
  contents: readonly Uint8Array[],
): Promise<void> {
  const { query } = transaction;
  const said = contents.map((content) => EntryContent.decode(content));
  const revisions = said.filter(({ kind }) => kind === POLICY_KIND);
  const isRecovered = revisions.length > 0 && (await isKeptHere(query, of.site));
  for (const revision of revisions) await placeRevision(query, of, revision, isRecovered);
  if (!said.some(({ kind }) => kind === ROSTER_KIND)) return;
  const { members = [], expelled = [] } = (await knownRoster(transaction, verify, of.site)) ?? {};
  for (const member of members) await placeMember(query, of, member);
  for (const { key } of expelled) await removeMember(query, key);
}

/** One that has found a place elsewhere since the restore keeps that: the log of the authority does not stop at it. */
async function placeMember(query: Query, of: Site, member: Member): Promise<void> {
  try {
    await placeMembers(query, of, [member]);
  } catch (error) {
    if (!isSparcError(error, 'ERR_AUTHORITY_GATEWAY_ELSEWHERE')) throw error;
  }
}

/** Of two that have one number, the one that was published here since has the row. */
async function placeRevision(
  query: Query,
  { tenant, site }: Site,
  { body, wallUnixMs }: EntryContent,
  isRecovered: boolean,
): Promise<void> {
  const { number, onlyFor } = PolicyRevision.decode(body);
  const row = {
    tenant_id: tenant,
    site_id: site,
    number,
    signed: Buffer.from(body),
    published_at: new Date(wallUnixMs),
    published_by: isRecovered ? UNKNOWN : OWNER,
    only_for: onlyFor.length > 0 ? [...onlyFor] : null,
    recovered: isRecovered,
  };
  await query
    .insertInto('policy_revisions')
    .values(row)
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}
