import { readCourier, type CourierOpening } from '@sparc/protocol/courier';
import { SparcError } from '@sparc/protocol/errors';
import type { LedgerCrypto } from '@sparc/protocol/ledger';
import type { Part } from '@sparc/protocol/ports';
import { commonSecret } from '@sparc/protocol/roster';
import type { Database, Site, Transaction } from '../db/index.js';
import { Months, takeBrought } from '../ingest/index.js';
import { toHex } from '../platform/index.js';
import { storeParts } from './revision-parts.js';

/** Some 30 KiB each. */
const PARTS_AT_ONCE = 64;

export interface OwnerCourierDeps {
  readonly database: Database;
  readonly crypto: LedgerCrypto;
}

/** What became of a courier. */
export interface TakenCourier {
  /** That were new. */
  readonly entriesCount: number;
  readonly partsCount: number;
  /** Batches that contradict what is here, or follow on what is not. */
  readonly leftCount: number;
}

/**
 * Takes what the owner of an authority brings: its log, and the parts of its policy (`sparc authority publish --cloud`).
 * `seed`: of the cloud's key for the site. Each batch and each some of the parts is a transaction: what came before something
 * that is refused stays. Only the owner can have made what opens here, so parts are not held until the end.
 * Throws ERR_DATABASE_SITE_UNKNOWN, ERR_COURIER_DAMAGED, ERR_COURIER_OTHER_SITE, ERR_COURIER_MAKER_UNKNOWN, what proves a batch
 * wrong, and what the source throws.
 */
export async function takeCourier(
  { database, crypto }: OwnerCourierDeps,
  of: Site,
  seed: Uint8Array,
  sealed: Iterable<Uint8Array>,
): Promise<TakenCourier> {
  const authority = await database.inTenant(of.tenant, (transaction) => authorityOf(transaction, of.site));
  const deps = { database, crypto, months: new Months(database) };
  const admit = (opening: CourierOpening) => assertOwner(of.site, authority, opening);
  const count = { entriesCount: 0, partsCount: 0, leftCount: 0 };
  let parts: Part[] = [];
  const storeAll = async () => {
    count.partsCount += await database.inTenant(of.tenant, (transaction) => storeParts(transaction, of, parts));
    parts = [];
  };
  for (const item of readCourier(crypto, [commonSecret(seed, authority)], sealed, admit)) {
    if ('part' in item) {
      parts.push({ hash: toHex(crypto.sha256(item.part)), content: item.part });
      if (parts.length === PARTS_AT_ONCE) await storeAll();
      continue;
    }
    const taken = await takeBrought(deps, of, item.batch);
    if (taken.kind === 'stored') count.entriesCount += taken.entriesCount;
    else if (taken.kind !== 'known') count.leftCount += 1;
  }
  await storeAll();
  return count;
}

async function authorityOf({ query }: Transaction, site: string): Promise<Uint8Array> {
  const found = await query.selectFrom('sites').select('authority_key').where('id', '=', site).executeTakeFirst();
  if (found?.authority_key) return Uint8Array.from(found.authority_key);
  throw new SparcError('ERR_DATABASE_SITE_UNKNOWN', `there is no site ${site} with an authority`, { site });
}

function assertOwner(site: string, authority: Uint8Array, opening: CourierOpening): void {
  if (opening.site !== site) {
    throw new SparcError('ERR_COURIER_OTHER_SITE', `it is of site ${opening.site}, and not of ${site}`);
  }
  const { maker } = opening;
  if (maker === toHex(authority)) return;
  throw new SparcError('ERR_COURIER_MAKER_UNKNOWN', `${maker} made it, and not the authority of ${site}`, { maker });
}
