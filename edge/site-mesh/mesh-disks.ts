import { join } from 'node:path';
import { SparcError } from '@sparc/protocol/errors';
import type { PartStore } from '@sparc/protocol/ports';
import type { Fork } from '@sparc/protocol/replication';
import { JOURNAL_FILE } from '../ledger/index.js';
import { openParts, PARTS_FILE } from '../policy-parts/index.js';
import { openReplicas, REPLICA_FILE, type ReplicasLost, type SqliteReplicaStore } from '../replica/index.js';
import { OwnJournal } from './own-journal.js';

export interface MeshDisksDeps {
  readonly publicKey: Uint8Array;
  readonly siteId: string;
  readonly onReplicasLost: (lost: ReplicasLost) => void;
  /** `movedTo`: where the damaged file is now. */
  readonly onPartsLost: (movedTo: string) => void;
  readonly onFailure: (error: unknown, what: string) => void;
}

/** What the mesh has in the data directory. */
export interface MeshDisks {
  readonly own: OwnJournal;
  readonly replicas: SqliteReplicaStore;
  /** As they were on disk when it was opened. */
  readonly forks: readonly Fork[];
  readonly parts: PartStore;
  close(): void;
}

/**
 * All of it, or nothing stays open: what fails is tried again and again.
 * Throws ERR_MESH_OTHER_SITE, ERR_LEDGER_CORRUPT or ERR_LEDGER_WRITE_FAILED for the replicas, and ERR_POLICY_PARTS_FAILED.
 */
export function openDisks(dataDir: string, deps: MeshDisksDeps): MeshDisks {
  const opened: { close(): void }[] = [];
  const kept = <T extends { close(): void }>(one: T): T => {
    opened.unshift(one);
    return one;
  };
  const close = () => {
    for (const one of opened.splice(0)) one.close();
  };
  try {
    const onFailure = (error: unknown) => deps.onFailure(error, 'the own journal cannot be read for the mesh');
    const own = kept(new OwnJournal(join(dataDir, JOURNAL_FILE), deps.publicKey, onFailure));
    assertOfSite(own, deps.siteId);
    const { store, lost } = openReplicas(join(dataDir, REPLICA_FILE));
    const replicas = kept(store);
    if (lost !== undefined) deps.onReplicasLost(lost);
    const forks = replicas.forks();
    const parts = kept(openParts(join(dataDir, PARTS_FILE), deps.onPartsLost));
    return { own, replicas, forks, parts, close };
  } catch (error) {
    close();
    throw error;
  }
}

/** Neighbours take no entries of another site, so they would refuse this gateway for ever. */
function assertOfSite(own: OwnJournal, siteId: string): void {
  const foreign = own.log().find(({ head }) => head.site !== siteId && head.site !== '');
  if (foreign === undefined) return;
  const message = `the journal has entries of site ${foreign.head.site}, and the gateway joined ${siteId}`;
  throw new SparcError('ERR_MESH_OTHER_SITE', message, { site: foreign.head.site, joined: siteId });
}
