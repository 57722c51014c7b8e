/**
 * The database of the cloud tier: PostgreSQL 15 or later, or PGlite in this process, with the same migrations. Row-level
 * security keeps tenants apart, on both.
 * @packageDocumentation
 */
export { backup, restore, verifyBackup } from './backup.js';
export type { Manifest } from './backup-files.js';
export { closing, type Connections, type NewRow } from './connections.js';
export { createDatabase, type Database, type SystemTransaction, type Transaction } from './database.js';
export { checkSchema, migrate, migrationsIn, SCHEMA_MAJOR, type SchemaVersion } from './migrate.js';
export { makeMonthsAhead } from './months-ahead.js';
export { embeddedFolder, openConnections, openDatabase, type DatabaseLocation } from './open-database.js';
export {
  openEntry,
  openPart,
  SEALED_ENTRY,
  sealEntry,
  sealPart,
  Seals,
  type OpenEntry,
  type SealedEntry,
} from './seals.js';
export { expireEvents } from './retention.js';
export { assertSite, siteUnknown, type Site } from './site.js';
export { SYSTEM_FUNCTIONS, type SystemPurpose } from './system-functions.js';
export type * from './tables.js';
export { createTenant, listTenants, RETENTION_MIN_DAYS, setLegalHold, type NewTenant, type Tenant } from './tenants.js';
