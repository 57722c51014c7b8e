import type { Connections } from './connections.js';
import { inTransaction, SEARCH_PATH } from './database.js';

/**
 * From now on the database is another one than that of which a backup was made. Before, a restored one has no life, and no
 * authority finds itself in it.
 */
export async function beginIncarnation(connections: Connections): Promise<void> {
  await inTransaction(connections, { role: 'sparc_owner', search_path: SEARCH_PATH }, ({ client }) =>
    client.query(`
      insert into incarnation (id) values (gen_random_uuid())
        on conflict (only_row) do update set id = excluded.id, began_at = excluded.began_at`),
  );
}
