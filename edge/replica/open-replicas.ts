import { isSparcError, type SparcError } from '@sparc/protocol/errors';
import { moveAside } from '../platform/index.js';
import { SqliteReplicaStore } from './sqlite-replica-store.js';

/** Replicas that could not be used. */
export interface ReplicasLost {
  readonly code: SparcError['code'];
  /** File name of the damaged database, kept as evidence beside the new one. */
  readonly movedTo: string;
}

/**
 * Opens the replicas at `path`. A database that is damaged or of a newer program is moved aside, never deleted, and a new
 * one begins, which neighbours fill again.
 * Throws ERR_LEDGER_WRITE_FAILED when no file can be opened or made.
 */
export function openReplicas(path: string): { readonly store: SqliteReplicaStore; readonly lost?: ReplicasLost } {
  try {
    return { store: SqliteReplicaStore.open(path) };
  } catch (error) {
    if (!isSparcError(error, 'ERR_LEDGER_CORRUPT')) throw error;
    return { lost: setReplicasAside(path, error), store: SqliteReplicaStore.open(path) };
  }
}

/** For replicas that are found to be damaged while they are used: they are closed by now. */
export const setReplicasAside = (path: string, { code }: SparcError): ReplicasLost => ({
  code,
  movedTo: moveAside(path),
});
