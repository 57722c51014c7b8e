import { batchOf, type Batch } from '@sparc/protocol/ledger';
import type { LogCommit } from '@sparc/protocol/ports';
import { isSameEpoch } from '@sparc/protocol/replication';

/** Commits of one life of an author as batches, so many commits in each, none over the end of an epoch. */
export function batchesOf(commits: readonly LogCommit[], commitsInOne = 1): Batch[] {
  const epochs: LogCommit[][] = [];
  for (const commit of commits) {
    const last = epochs.at(-1);
    if (last?.[0] !== undefined && isSameEpoch(last[0].head.epoch, commit.head.epoch)) last.push(commit);
    else epochs.push([commit]);
  }
  return epochs.flatMap((epoch) => {
    const starts = epoch.flatMap((_, index) => (index % commitsInOne === 0 ? [index] : []));
    return starts.flatMap((start) => {
      const group = epoch.slice(start, start + commitsInOne);
      const head = group.at(-1)?.head;
      if (head === undefined) return [];
      const entries = group.flatMap((commit) => commit.entries);
      return [batchOf(entries, epoch[start - 1]?.entries.at(-1), head)];
    });
  });
}
