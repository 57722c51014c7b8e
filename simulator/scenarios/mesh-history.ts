import type { ChainedEntry, EpochId, Link, SignedHead } from '@sparc/protocol/ledger';
import type { LogCommit } from '@sparc/protocol/ports';
import type { Fork } from '@sparc/protocol/replication';
import { appendOf, emptiedEntry, type ReplicaWrite } from '../mesh/index.js';

/** An epoch as its author's platter had it at any time; sequences start at 1. */
export interface CommittedEpoch {
  readonly author: string;
  readonly previous: Link | undefined;
  /** In hex, of all entries. */
  readonly hashes: string[];
}

/** An epoch as it is on a platter, entry by entry as they were written. */
export interface WrittenEpoch {
  readonly author: string;
  readonly epoch: EpochId;
  readonly previous: Link | undefined;
  readonly entries: ChainedEntry[];
}

/** What is on the disks of one machine. */
export interface Platter {
  readonly machine: string;
  /** Of the machine itself, in hex; undefined: it is a cloud's, which may hold what no machine has any more. */
  readonly author: string | undefined;
  /** Its journal was set back, or somebody else writes with its key. */
  readonly hasTwoPasts: boolean;
  /** By name of the epoch: the own journal, and what it holds of others. */
  readonly own: ReadonlyMap<string, WrittenEpoch>;
  readonly replicas: ReadonlyMap<string, WrittenEpoch>;
  readonly forks: readonly Fork[];
}

/** A gateway that was expelled, and up to where the site attested its log. */
export interface Expulsion {
  readonly author: string;
  readonly attested: SignedHead;
  /** By machine that has heard of it: how many entries of each of its epochs were on its platter then. */
  readonly evidence: Map<string, ReadonlyMap<string, number>>;
}

/** What happened in a mesh, as seen from outside of its gateways: on their platters and on the wires between them. */
export class MeshHistory {
  /** By name. */
  readonly committed = new Map<string, CommittedEpoch>();
  /** By name of the epoch: up to where each machine said that it has it, its author aside. */
  readonly announced = new Map<string, Map<string, number>>();
  expulsion: Expulsion | undefined;
  /** Of machines that run at the end, but for the one that was expelled. */
  platters: readonly Platter[] = [];

  /** All who wrote a log, but for the one that was expelled: what becomes of that log has a checker of its own. */
  get authors(): ReadonlySet<string> {
    const authors = new Set([...this.committed.values()].map(({ author }) => author));
    if (this.expulsion !== undefined) authors.delete(this.expulsion.author);
    return authors;
  }

  addCommit(commit: LogCommit): void {
    const { head, entries } = commit;
    const name = epochName(head);
    const known = this.committed.get(name) ?? {
      author: toHex(head.author),
      previous: appendOf(commit).previous,
      hashes: [],
    };
    this.committed.set(name, known);
    for (const { sequence, hash } of entries) known.hashes[sequence - 1] ??= toHex(hash);
  }

  /** A machine told another that it has all up to a head, which includes the epochs that this one goes on from. */
  addTip(machine: string, machinesAuthor: string, tip: SignedHead): void {
    if (machinesAuthor === toHex(tip.author)) return;
    let end: Pick<SignedHead, 'author' | 'epoch' | 'sequence'> | undefined = tip;
    while (end !== undefined) {
      const name = epochName(end);
      const byMachine = this.announced.get(name) ?? new Map<string, number>();
      this.announced.set(name, byMachine);
      if ((byMachine.get(machine) ?? 0) >= end.sequence) return;
      byMachine.set(machine, end.sequence);
      const previous = this.committed.get(name)?.previous;
      end = previous && { author: tip.author, ...previous };
    }
  }
}

/** The epochs that commits of a journal, or appends to replicas, left on a platter. */
export function writtenEpochs(
  appends: Iterable<{ readonly entries: readonly ChainedEntry[]; readonly head: SignedHead; readonly previous?: Link }>,
): ReadonlyMap<string, WrittenEpoch> {
  const epochs = new Map<string, WrittenEpoch>();
  for (const { entries, head, previous } of appends) {
    const name = epochName(head);
    const known = epochs.get(name) ?? { author: toHex(head.author), epoch: head.epoch, previous, entries: [] };
    epochs.set(name, known);
    known.entries.push(...entries);
  }
  return epochs;
}

/** The same of replicas, as they were emptied since. */
function writtenReplicas(writes: readonly ReplicaWrite[]): ReadonlyMap<string, WrittenEpoch> {
  const epochs = writtenEpochs(writes.flatMap(({ appends }) => appends));
  const ends = writes.flatMap(({ emptied }) =>
    emptied === undefined ? [] : { author: Buffer.from(emptied.author, 'hex'), ...emptied.to },
  );
  for (const [name, last] of leadingTo(epochs, ends)) {
    const entries = epochs.get(name)?.entries ?? [];
    entries.forEach((entry, index) => {
      if (entry.sequence <= last) entries[index] = emptiedEntry(entry);
    });
  }
  return epochs;
}

export function platterOf(
  { name, key }: { readonly name: string; readonly key: string },
  disks: { readonly journal: readonly LogCommit[]; readonly replicas: readonly ReplicaWrite[] },
  hasTwoPasts: boolean,
): Platter {
  return {
    machine: name,
    author: key,
    hasTwoPasts,
    own: writtenEpochs(disks.journal.map(appendOf)),
    replicas: writtenReplicas(disks.replicas),
    forks: disks.replicas.flatMap(({ forks }) => forks),
  };
}

/** Up to where each of these epochs, by name, leads to one of some heads. */
export function leadingTo(
  epochs: ReadonlyMap<string, WrittenEpoch>,
  heads: readonly Pick<SignedHead, 'author' | 'epoch' | 'sequence'>[],
): ReadonlyMap<string, number> {
  const last = new Map<string, number>();
  for (const { author, epoch, sequence } of heads) {
    let end: Pick<SignedHead, 'epoch' | 'sequence'> | undefined = { epoch, sequence };
    while (end !== undefined) {
      const name = epochName({ author, epoch: end.epoch });
      last.set(name, Math.max(end.sequence, last.get(name) ?? 0));
      end = epochs.get(name)?.previous;
    }
  }
  return last;
}

/** Unique over all authors. */
export const epochName = ({ author, epoch }: Pick<SignedHead, 'author' | 'epoch'>): string =>
  `${toHex(author).slice(0, 16)}/${epoch.counter}-${toHex(epoch.random)}`;

export const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
