import { EntryContent, type Batch, type SignedHead } from '@sparc/protocol/ledger';
import { holds, isSameEpoch, type AuthorLog, type EpochEnd, type ReplicationState } from '@sparc/protocol/replication';
import type { MeshView } from '../api/index.js';

/** By neighbour: ends of the own log that it said to have on its disk. */
export type Copies = ReadonlyMap<string, readonly SignedHead[]>;

/**
 * What neighbours have of the own log: the exchange forgets those that went, but their disks are still there. Whoever comes
 * back without it has lost it.
 */
export class OwnCopies {
  readonly #copies = new Map<string, readonly SignedHead[]>();

  /** `replication`: with the neighbours that are here, and before it forgets one that goes. */
  note({ self, neighbours }: ReplicationState): void {
    for (const [neighbour, { tips, hasToldAll }] of neighbours) {
      const own = tips.get(self);
      if (own !== undefined) this.#copies.set(neighbour, own);
      else if (hasToldAll) this.#copies.delete(neighbour);
    }
  }

  all(): Copies {
    return this.#copies;
  }
}

/** What there is of the own log elsewhere. `members`: others on the roster; whoever left it is no place for copies. */
export function ownView(
  log: AuthorLog,
  copies: Copies,
  members: readonly string[],
  batchAfter: (after: EpochEnd) => Batch | undefined,
): NonNullable<MeshView['own']> {
  if (log.length === 0) return { replicasCount: 0, unreplicatedCount: 0 };
  const held = members.flatMap((member) => copies.get(member) ?? []);
  const alone = missingBehind(log, held);
  const [first] = alone;
  const since = first && recordedUnixMs(batchAfter(first));
  return {
    replicasCount: members.filter((member) => missingCount(log, copies.get(member) ?? []) === 0).length,
    unreplicatedCount: countBehind(log, alone),
    ...(since !== undefined && { unreplicatedSinceUnixMs: since }),
  };
}

/** Entries of a log that somebody with these ends of it does not have. */
export const missingCount = (log: AuthorLog, ends: readonly EpochEnd[]): number =>
  countBehind(log, missingBehind(log, ends));

/** The last entry of an epoch that is held; 0: none. */
export const heldUpTo = (log: AuthorLog, epoch: SignedHead['epoch']): number =>
  log.find(({ head }) => isSameEpoch(head.epoch, epoch))?.head.sequence ?? 0;

const countBehind = (log: AuthorLog, ends: readonly EpochEnd[]): number =>
  ends.reduce((sum, { epoch, sequence }) => sum + heldUpTo(log, epoch) - sequence, 0);

/** Where in each epoch that begins which whoever has these ends has not, oldest first. */
function missingBehind(log: AuthorLog, ends: readonly EpochEnd[]): EpochEnd[] {
  const known = ends.filter((end) => holds(log, end));
  const last = known.reduce((max, { epoch }) => Math.max(max, epoch.counter), -1);
  return log
    .map(({ head: { epoch } }) => epoch)
    .filter(({ counter }) => counter >= last)
    .sort((a, b) => a.counter - b.counter)
    .map((epoch) => ({
      epoch,
      sequence: Math.max(0, ...known.filter((end) => isSameEpoch(end.epoch, epoch)).map(({ sequence }) => sequence)),
    }))
    .filter(({ epoch, sequence }) => sequence < heldUpTo(log, epoch));
}

function recordedUnixMs(batch: Batch | undefined): number | undefined {
  const [content] = batch?.contents ?? [];
  return content && EntryContent.decode(content).wallUnixMs;
}
