import type { Link } from '@sparc/protocol/ledger';
import { toHex, type MeshHistory, type Platter, type WrittenEpoch } from '../mesh-history.js';
import type { Violations } from '../violation.js';

/** Who holds two pasts of an author has evidence of its fork, who does not has none, and the author hears of it. */
export function checkForksAreFound(
  { platters, authors }: Pick<MeshHistory, 'platters' | 'authors'>,
  violations: Violations,
): void {
  for (const platter of platters) {
    const found = new Set(platter.forks.map(({ first }) => toHex(first.author)));
    for (const author of authors) {
      const isForked =
        author === platter.author ? isDisowned(platter, platters) : isForkedOn(epochsOf(platter.replicas, author));
      if (isForked === found.has(author)) continue;
      const what = isForked ? 'does not see the fork of' : 'sees a fork that is none, of';
      violations.add('forks-are-found', `${platter.machine} ${what} ${author.slice(0, 16)}`);
    }
  }
}

const epochsOf = (epochs: ReadonlyMap<string, WrittenEpoch>, author: string): readonly WrittenEpoch[] =>
  [...epochs.values()].filter((epoch) => epoch.author === author);

/** Others hold what this author's journal does not have. */
function isDisowned({ author, own }: Platter, platters: readonly Platter[]): boolean {
  return platters.some(({ replicas }) =>
    [...replicas].some(
      ([name, epoch]) => epoch.author === author && epoch.entries.length > (own.get(name)?.entries.length ?? 0),
    ),
  );
}

/** Two epochs with one number, two that go on from one entry, or one that goes on from before another's end. */
function isForkedOn(epochs: readonly WrittenEpoch[]): boolean {
  const counters = new Set(epochs.map(({ epoch }) => epoch.counter));
  const previous = epochs.flatMap((epoch) => (epoch.previous === undefined ? [] : [epoch.previous]));
  const origins = new Set(previous.map(placeOf));
  if (counters.size < epochs.length || origins.size < previous.length) return true;
  return epochs.some(({ epoch, entries }) =>
    previous.some((link) => sameEpoch(link, epoch) && link.sequence < entries.length),
  );
}

const placeOf = ({ epoch, sequence }: Link): string => `${epoch.counter}-${toHex(epoch.random)}/${sequence}`;

const sameEpoch = (link: Link, epoch: Link['epoch']): boolean =>
  link.epoch.counter === epoch.counter && toHex(link.epoch.random) === toHex(epoch.random);
