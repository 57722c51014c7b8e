import type { SignedHead } from '@sparc/protocol/ledger';
import { tipsOf } from '@sparc/protocol/replication';
import { storedLog, type Query } from '../ingest/index.js';
import { hexColumn } from '../platform/index.js';

/** Of the log of a gateway, as far as it is stored. */
export async function tipsOfMember(query: Query, key: string): Promise<readonly SignedHead[]> {
  const rows = await query.selectFrom('author_heads').selectAll().where('author', '=', hexColumn(key)).execute();
  return tipsOf(storedLog(rows).log);
}
