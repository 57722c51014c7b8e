import { Database } from '../platform/sqlite.js';
import { SparcError } from '@sparc/protocol/errors';
import { SCHEMA_VERSION, schemaVersionOf } from './migrations.js';

/**
 * Opens a generation for reading. Nothing ever writes to the file again, so the read lock is taken once and kept, which
 * saves two system calls for every look-up.
 * Throws ERR_POLICY_CORRUPT or ERR_POLICY_SCHEMA_VERSION.
 */
export function openGeneration(path: string): Database {
  let db: Database | undefined;
  try {
    db = new Database(path, { readonly: true, fileMustExist: true });
    db.pragma('locking_mode = EXCLUSIVE');
    const version = schemaVersionOf(db);
    if (version === SCHEMA_VERSION) return db;
    throw new SparcError(
      'ERR_POLICY_SCHEMA_VERSION',
      `${path} has layout ${version}, this version reads layout ${SCHEMA_VERSION}`,
      { path, version },
    );
  } catch (error) {
    db?.close();
    if (error instanceof SparcError) throw error;
    throw new SparcError(
      'ERR_POLICY_CORRUPT',
      `${path} cannot be opened: ${(error as Error).message}`,
      { path },
      { cause: error },
    );
  }
}
