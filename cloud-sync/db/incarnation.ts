import type { Connections } from './connections.js';
import { inTransaction, SEARCH_PATH } from './database.js';

/**
 * From now on the database is another one than that of which a backup was made. Before, a restored one has no life, and no
 * authority finds itself in it. Who was barred, had a new password or used a code after the backup is not known: logins and
 * open codes are gone, and everybody is barred, from when it began.
 */
export async function beginIncarnation(connections: Connections): Promise<void> {
  await inTransaction(connections, { role: 'sparc_bypass', search_path: SEARCH_PATH }, async ({ client }) => {
    await client.query('delete from sessions');
    await client.query('delete from claim_codes where used_at is null');
    await client.query('update users set barred_at = now() where barred_at is null');
    await client.query(`
      insert into incarnation (id) values (gen_random_uuid())
        on conflict (only_row) do update set id = excluded.id, began_at = excluded.began_at`);
  });
}
