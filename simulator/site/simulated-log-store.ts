import { SparcError } from '@sparc/protocol/errors';
import { comparePositions, positionOf, type ChainedEntry, type Position } from '@sparc/protocol/ledger';
import type { LogCommit, LogStore, LogTail } from '@sparc/protocol/ports';
import type { SimulatedDisk } from '../world/index.js';

/** Where in a commit a machine can die. */
export const COMMIT_PHASES = ['beforeWrite', 'beforeFlush', 'afterFlush'] as const;
export type CommitPhase = (typeof COMMIT_PHASES)[number];

/** A log on a simulated disk. */
export class SimulatedLogStore implements LogStore {
  /** What is committed, as a reader sees it: all that an earlier process left, and what this one flushed. */
  readonly #commits: LogCommit[];

  /** `onPhase` returns true where the machine dies: then the commit never ends. */
  constructor(
    private readonly disk: SimulatedDisk<LogCommit>,
    private readonly onPhase: (phase: CommitPhase) => boolean = () => false,
  ) {
    this.#commits = [...disk.items()];
  }

  tail(): LogTail | undefined {
    const last = this.#commits.at(-1);
    return last && { head: last.head, recovery: last.recovery };
  }

  entries(after: Position | undefined, limit: number): readonly ChainedEntry[] {
    const isAfter = (entry: ChainedEntry) =>
      after === undefined || comparePositions({ epoch: entry.epoch.counter, sequence: entry.sequence }, after) > 0;
    const found: ChainedEntry[] = [];
    for (const commit of this.#commits) {
      if (found.length >= limit) break;
      if (after !== undefined && comparePositions(positionOf(commit.head), after) <= 0) continue;
      found.push(...commit.entries.filter(isAfter));
    }
    return found.slice(0, limit);
  }

  async commit(commit: LogCommit): Promise<void> {
    if (this.onPhase('beforeWrite')) return never();
    this.disk.write([commit]);
    if (this.onPhase('beforeFlush')) return never();
    const isFlushed = await this.disk.flush();
    if (this.onPhase('afterFlush')) return never();
    if (!isFlushed) {
      this.disk.discardWritten();
      throw new SparcError('ERR_LEDGER_WRITE_FAILED', 'the simulated disk refuses');
    }
    this.#commits.push(commit);
  }

  rest(): void {
    // A simulated disk needs no housekeeping.
  }

  close(): void {
    // Nothing is held.
  }
}

const never = (): Promise<never> => new Promise(() => undefined);

/** The same store; says of each commit that it is on the platter. */
export const tellingCommits = (store: LogStore, onCommitted: (commit: LogCommit) => void): LogStore => ({
  tail: () => store.tail(),
  entries: (after, limit) => store.entries(after, limit),
  commit: async (commit) => {
    await store.commit(commit);
    onCommitted(commit);
  },
  rest: () => store.rest(),
  close: () => store.close(),
});
