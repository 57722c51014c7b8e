import { sql } from 'kysely';
import type { Database } from './database.js';

/** Makes the partitions of this month and the next, so that no entry waits for one. By the clock of the database. */
export async function makeMonthsAhead(database: Database): Promise<void> {
  await database.asSystem('events_make_month', ({ query }) =>
    sql`select events_make_month(now()::date), events_make_month((now() + interval '1 month')::date)`.execute(query),
  );
}
