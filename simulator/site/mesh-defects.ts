import type { ReplicaAppend, ReplicaStore } from '@sparc/protocol/ports';
import type { MeshWrappers } from './mesh-machine.js';

/** Seeded defects, one for each checker of the mesh world to catch. */
export const MESH_DEFECTS = [
  'lyingDisks',
  'storesTwice',
  'leavesGaps',
  'altersEntries',
  'blindToForks',
  'neglectsAuthor',
  'deafToExpulsion',
] as const;
export type MeshDefect = (typeof MESH_DEFECTS)[number];

/** What is between the parts of one machine that has the defect. `neglected`: the author that it does not care for. */
export function meshWrappers(defect: MeshDefect | 'emptiesEarly' | undefined, neglected: string): MeshWrappers {
  switch (defect) {
    case 'storesTwice':
      return { store: (store) => appending(store, (appends) => [...appends, ...appends]) };
    case 'leavesGaps':
      return { store: (store) => appending(store, (appends) => appends.map(withoutFirst)) };
    case 'altersEntries':
      return { store: (store) => appending(store, (appends) => appends.map(withAnotherBit)) };
    case 'blindToForks':
      return { store: (store) => changed(store, { append: (appends) => store.append(appends, []) }) };
    case 'neglectsAuthor':
      return { isAuthor: (author) => author !== neglected };
    case 'emptiesEarly':
      return { isEager: true };
    case 'deafToExpulsion':
      return { isDeaf: true };
    case 'lyingDisks':
    case undefined:
      return {};
  }
}

const appending = (store: ReplicaStore, change: (appends: readonly ReplicaAppend[]) => readonly ReplicaAppend[]) =>
  changed(store, { append: (appends, forks) => store.append(change(appends), forks) });

const changed = (store: ReplicaStore, changes: Partial<ReplicaStore>): ReplicaStore => ({
  logs: () => store.logs(),
  sizeBytes: (author) => store.sizeBytes(author),
  hashAt: (author, epoch, sequence) => store.hashAt(author, epoch, sequence),
  append: (appends, forks) => store.append(appends, forks),
  empty: (author, to) => store.empty(author, to),
  batchAfter: (author, after) => store.batchAfter(author, after),
  forks: () => store.forks(),
  close: () => store.close(),
  ...changes,
});

function withoutFirst(append: ReplicaAppend): ReplicaAppend {
  const [first, ...rest] = append.entries;
  return first === undefined || rest.length === 0 || first.sequence === 1 ? append : { ...append, entries: rest };
}

/** As if a bit of an entry had flipped between its check and the disk. */
function withAnotherBit(append: ReplicaAppend): ReplicaAppend {
  const entries = append.entries.map((entry) => ({
    ...entry,
    content: entry.content.map((byte, at) => (at === 9 ? byte ^ 1 : byte)),
  }));
  return { ...append, entries };
}
