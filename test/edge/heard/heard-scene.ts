import type { Heard, HeardLogs } from '@sparc/edge/heard';
import { HeardReader } from '@sparc/edge/heard';
import { nodeCrypto } from '@sparc/edge/ledger';
import { toHex } from '@sparc/edge/platform';
import type { SparcError } from '@sparc/protocol/errors';
import type { Batch } from '@sparc/protocol/ledger';
import type { LogCommit } from '@sparc/protocol/ports';
import { grown, isSameEpoch, type AuthorLog } from '@sparc/protocol/replication';
import type { Expulsion, Roster } from '@sparc/protocol/roster';
import { VirtualClock } from '@sparc/simulator/world';
import { keyOf, member, rosterWith } from '../../support/roster.js';
import { batchesOf } from '../../support/test-batches.js';
import { TestChain } from '../../support/test-chain.js';
import { testSigner } from '../../support/test-signer.js';

export const AUTHORITY = 9;
export const SELF = 1;

/** What a site process left on the disk of gateway 1: nothing of it is checked, and it can be changed at will. */
export class LeftLogs implements HeardLogs {
  readonly #logs = new Map<string, AuthorLog>();
  readonly #commits = new Map<string, LogCommit[]>();
  readonly #batches = new Map<string, Batch[]>();
  /** As it is read: a site process that lies changes it. */
  change: (batch: Batch) => Batch = (batch) => batch;
  readsCount = 0;

  append(...commits: readonly LogCommit[]): void {
    for (const commit of commits) {
      const author = toHex(commit.head.author);
      this.#batches.delete(author);
      const log = this.#logs.get(author) ?? [];
      const previous = log.findLast(({ head }) => head.epoch.counter < commit.head.epoch.counter)?.head;
      const opens = commit.entries[0]?.sequence === 1 && previous !== undefined;
      this.#logs.set(author, grown(log, { head: commit.head, ...(opens && { previous }) }));
      this.#commits.set(author, [...(this.#commits.get(author) ?? []), commit]);
    }
  }

  logs(): ReadonlyMap<string, AuthorLog> {
    return this.#logs;
  }

  batchAfter(author: string, { epoch, sequence }: Parameters<HeardLogs['batchAfter']>[1]): Batch | undefined {
    this.readsCount += 1;
    const batches = this.#batches.get(author) ?? batchesOf(this.#commits.get(author) ?? []);
    this.#batches.set(author, batches);
    const batch = batches.find((each) => isSameEpoch(each.epoch, epoch) && each.firstSequence === sequence + 1);
    return batch && this.change(batch);
  }

  hashAt(author: string, ...[epoch, sequence]: [LogCommit['head']['epoch'], number]): Uint8Array | undefined {
    const entries = (this.#commits.get(author) ?? []).flatMap((commit) => commit.entries);
    return entries.find((entry) => isSameEpoch(entry.epoch, epoch) && entry.sequence === sequence)?.hash;
  }
}

/** Gateway 1 of a site with gateways 2 and 3. */
export function heardScene(roster: Roster = rosterWith([1, 2, 3].map(member))) {
  const clock = new VirtualClock();
  const logs = new LeftLogs();
  const journal = new LeftLogs();
  const refused: string[] = [];
  const deps = {
    clock,
    crypto: nodeCrypto,
    logs,
    self: keyOf(SELF),
    ownLog: () => journal.logs().get(keyOf(SELF)) ?? [],
    authority: testSigner(AUTHORITY).publicKey,
    roster,
    expulsions: [],
    onRefused: (author: string, { code }: SparcError) => refused.push(`${author.slice(0, 4)} ${code}`),
  };
  let reader = new HeardReader(deps);
  /** All that there is to hear now, piece by piece. */
  const hear = (): Heard[] => {
    const all: Heard[] = [];
    for (let isMore = true; isMore;) {
      const piece = reader.read();
      if (piece.heard !== undefined) all.push(piece.heard);
      isMore = piece.isMore;
    }
    return all;
  };
  return {
    clock,
    logs,
    journal,
    refused,
    hear,
    expelled: (expulsions: readonly Expulsion[]) => reader.expelled(expulsions),
    restart: () => (reader = new HeardReader(deps)),
    chain: (seed: number) => new TestChain(testSigner(seed)),
  };
}

const SEEDS = new Map([1, 2, 3].map((seed) => [keyOf(seed), seed]));

/** What was heard of whom. */
export const namesOf = (heard: readonly Heard[]): string[] =>
  heard.flatMap(({ entries }) =>
    entries.map(({ id: { author, epoch, sequence }, record }) => {
      return `${SEEDS.get(author)} ${epoch}.${sequence} ${record.name}`;
    }),
  );
