/**
 * The logs of other authors, as this gateway holds them.
 * @packageDocumentation
 */
export { AuthorityReader, handlerOf, type AuthorityHandler, type RefusedEntry } from './authority-reader.js';
export { batchesAfter, entriesAfter, verified, type AuthorEntry, type ReadableLogs } from './author-entries.js';
export { hasEmptiedEarly } from './emptied-early.js';
export { Intake, type IntakeDeps } from './intake.js';
export { openReplicas, setReplicasAside, type ReplicasLost } from './open-replicas.js';
export {
  AUTHOR_SHARE,
  DISK_FREE_BYTES_MIN,
  EPOCHS_MAX,
  FULL_REASONS,
  REPLICA_BYTES_MAX,
  ReplicaRoom,
  type FullReason,
} from './replica-room.js';
export { REPLICA_FILE, SqliteReplicaStore } from './sqlite-replica-store.js';
export type { OwnLog } from './own-log.js';
export { Replicator, type ReplicatorDeps } from './replicator.js';
export { batchWork, WORK_PACE } from './work-pace.js';
