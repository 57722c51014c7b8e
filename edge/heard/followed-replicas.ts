import { statSync } from 'node:fs';
import { isSparcError } from '@sparc/protocol/errors';
import { SqliteReplicaStore } from '../replica/index.js';
import type { HeardLogs } from './verified-logs.js';

/** The file of replicas, which another process writes, and sets aside where it is damaged. */
export class FollowedReplicas implements HeardLogs {
  #store: SqliteReplicaStore | undefined;
  /** Names the file that is open. */
  #inode = 0;

  constructor(private readonly path: string) {}

  /** Sees what was written since the last time. Throws ERR_LEDGER_CORRUPT; then it begins anew. */
  look(): void {
    const inode = statSync(this.path, { throwIfNoEntry: false })?.ino ?? 0;
    try {
      if (inode === this.#inode) return this.#store?.reload();
      this.close();
      if (inode !== 0) this.#store = SqliteReplicaStore.openReadOnly(this.path);
      this.#inode = inode;
    } catch (error) {
      this.close();
      if (!isSparcError(error, 'ERR_LEDGER_ABSENT')) throw error;
    }
  }

  logs(): ReturnType<HeardLogs['logs']> {
    return this.#store?.logs() ?? new Map();
  }

  batchAfter(...place: Parameters<HeardLogs['batchAfter']>): ReturnType<HeardLogs['batchAfter']> {
    return this.#store?.batchAfter(...place);
  }

  hashAt(...place: Parameters<HeardLogs['hashAt']>): ReturnType<HeardLogs['hashAt']> {
    return this.#store?.hashAt(...place);
  }

  close(): void {
    this.#store?.close();
    this.#store = undefined;
    this.#inode = 0;
  }
}
