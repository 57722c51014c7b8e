import { sql } from 'kysely';
import type { Database } from './database.js';

/** Deleted in one transaction, so that nobody waits long behind it. */
const ROWS_AT_ONCE_MAX = 10_000;

/**
 * Takes away the entries that no tenant has to keep any more: whole months where it can. What is taken away before `signal`
 * is gone for good. Throws what the database says; it may be called again at any time.
 */
export async function expireEvents(database: Database, signal?: AbortSignal): Promise<void> {
  for (let isMore = true; isMore && signal?.aborted !== true;) {
    const { rows } = await database.asSystem('events_expire', ({ query }) =>
      sql<{ more: boolean }>`select events_expire(${ROWS_AT_ONCE_MAX}) as more`.execute(query),
    );
    isMore = rows.some(({ more }) => more);
  }
}
