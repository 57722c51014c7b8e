import { claimCodeHash, type ClaimCode } from '@sparc/protocol/enrolment';
import { SparcError } from '@sparc/protocol/errors';
import type { Transaction } from '../db/index.js';
import { toHex, hexColumn } from '../platform/index.js';
import type { Identity } from '../users/index.js';

type Query = Transaction['query'];

/** Who does it, for the audit. */
export type Actor = Pick<Identity, 'tenant' | 'name'>;

/** What a gateway is to be. */
export interface Place {
  readonly site: string;
  readonly name: string;
  /** Public key, in hex, of the gateway that it takes the place of. */
  readonly replaces?: string | undefined;
}

/** A code is good for so long. */
export const CLAIM_VALID_MS = 86_400_000;

/** Keeps a code for a place, as a hash. */
export async function keepCode(
  query: Query,
  { tenant, name: maker }: Actor,
  code: ClaimCode,
  { site, name, replaces }: Place,
  expiresAt: Date,
): Promise<void> {
  const row = { tenant_id: tenant, site_id: site, code_hash: hashOf(code), gateway_name: name, expires_at: expiresAt };
  const replaced = replaces === undefined ? null : hexColumn(replaces);
  await query
    .insertInto('claim_codes')
    .values({ ...row, replaces: replaced, made_by: maker })
    .execute();
}

/**
 * The place that a code is for, if the gateway with this key may take it. It may come again with the code, as it does where
 * the answer was lost. Throws ERR_CLAIM_CODE_UNKNOWN, ERR_CLAIM_CODE_USED or ERR_CLAIM_CODE_EXPIRED.
 */
export async function placeOfCode(query: Query, code: ClaimCode, key: string, now: Date): Promise<Place> {
  // Whoever else shows it at this moment waits.
  const found = query.selectFrom('claim_codes').selectAll().where('code_hash', '=', hashOf(code)).forUpdate();
  const row = await found.executeTakeFirst();
  if (row === undefined) throw codeUnknown();
  if (row.used_by !== null && toHex(row.used_by) !== key) {
    const message = `the code for ${row.gateway_name} was used by another gateway`;
    throw new SparcError('ERR_CLAIM_CODE_USED', message, { key: toHex(row.used_by) });
  }
  if (now > row.expires_at) {
    throw new SparcError('ERR_CLAIM_CODE_EXPIRED', `it was good until ${row.expires_at.toISOString()}`);
  }
  const replaces = row.replaces === null ? undefined : toHex(row.replaces);
  return { site: row.site_id, name: row.gateway_name, replaces };
}

export async function markUsed(query: Query, code: ClaimCode, key: string, now: Date): Promise<void> {
  const used = { used_at: now, used_by: hexColumn(key) };
  await query.updateTable('claim_codes').set(used).where('code_hash', '=', hashOf(code)).execute();
}

/** Of a site; returns how many there were. */
export async function withdrawCodes(query: Query, site: string): Promise<number> {
  const unused = query.deleteFrom('claim_codes').where('site_id', '=', site).where('used_at', 'is', null);
  return Number((await unused.executeTakeFirst()).numDeletedRows);
}

export const codeUnknown = () => new SparcError('ERR_CLAIM_CODE_UNKNOWN', 'no claim code of this cloud is like that');

const hashOf = (code: ClaimCode): Buffer => Buffer.from(claimCodeHash(code));
