/**
 * The logs of other authors, as this gateway holds them.
 * @packageDocumentation
 */
export { batchesAfter, entriesAfter, type AuthorEntry, type ReadableLogs } from './author-entries.js';
export { REPLICA_FILE, SqliteReplicaStore } from './sqlite-replica-store.js';
export { Replicator, type OwnLog, type ReplicatorDeps } from './replicator.js';
