import type { Connections } from './connections.js';
import { inTransaction, SEARCH_PATH } from './database.js';

/** From now on the database is another one than that of which a backup was made. */
export async function beginIncarnation(connections: Connections): Promise<void> {
  await inTransaction(connections, { role: 'sparc_owner', search_path: SEARCH_PATH }, ({ client }) =>
    client.query('update incarnation set id = gen_random_uuid(), began_at = now()'),
  );
}
