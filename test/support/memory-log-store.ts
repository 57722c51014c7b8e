import { SparcError } from '@sparc/protocol/errors';
import { comparePositions, positionOf, type ChainedEntry, type Position } from '@sparc/protocol/ledger';
import type { LogCommit, LogStore, LogTail } from '@sparc/protocol/ports';

/** A log in memory, whose disk can be full, damaged or waiting. */
export class MemoryLogStore implements LogStore {
  readonly commits: LogCommit[];
  failure: SparcError | undefined;
  restCount = 0;
  #gate: Promise<void> | undefined;
  #open: () => void = () => {};

  constructor(commits: readonly LogCommit[] = []) {
    this.commits = [...commits];
  }

  /** Commits wait until `release`. */
  hold(): void {
    this.#gate = new Promise((resolve) => (this.#open = resolve));
  }

  release(): void {
    this.#gate = undefined;
    this.#open();
  }

  tail(): LogTail | undefined {
    const newest = this.commits.at(-1);
    return newest && { head: newest.head, recovery: newest.recovery };
  }

  entries(after: Position | undefined, limit: number): readonly ChainedEntry[] {
    return this.commits
      .flatMap(({ entries }) => entries)
      .filter(
        ({ epoch, sequence }) => after === undefined || comparePositions({ epoch: epoch.counter, sequence }, after) > 0,
      )
      .slice(0, limit);
  }

  async commit(commit: LogCommit): Promise<void> {
    await this.#gate;
    if (this.failure !== undefined) throw this.failure;
    const tail = this.tail();
    const [first] = commit.entries;
    const follows =
      tail === undefined ||
      (first !== undefined &&
        comparePositions({ epoch: first.epoch.counter, sequence: first.sequence }, positionOf(tail.head)) > 0);
    if (!follows) throw new SparcError('ERR_LEDGER_WRITE_FAILED', 'an entry is there already');
    this.commits.push(commit);
  }

  rest(): void {
    this.restCount += 1;
  }

  close(): void {}
}
