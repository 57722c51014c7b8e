import { isSparcError } from '@sparc/protocol/errors';
import type { ReplicaAppend } from '@sparc/protocol/ports';
import { forkName, type Fork } from '@sparc/protocol/replication';
import { toHex } from '../platform/index.js';
import { Intake, type IntakeDeps } from './intake.js';
import type { FullReason } from './replica-room.js';

export interface ReplicaWriterDeps extends IntakeDeps {
  /** Why there is no room for more of an author; undefined while there is. */
  fullFor(author: string): FullReason | undefined;
  /** Once for an author, until there was room again. */
  onFull(author: string, reason: FullReason): void;
  /** Once for each fork, also over starts; it is on disk. */
  onFork(fork: Fork): void;
}

/** Of one author; more are not recorded, they say nothing new. */
const FORKS_MAX = 64;

/** Puts what was verified on disk, while there is room for it, with the proof of each fork once. */
export class ReplicaWriter {
  /** Names of those on disk, by author. */
  readonly #forks = new Map<string, Set<string>>();
  readonly #full = new Map<string, FullReason>();

  constructor(private readonly deps: ReplicaWriterDeps) {}

  /** Learns which forks are on disk. */
  start(): void {
    for (const fork of this.deps.store.forks()) this.#forksOf(fork).add(forkName(fork));
  }

  /** Authors of whom no more is taken, and why. Whoever's entries could not be written is tried again. */
  get full(): ReadonlyMap<string, FullReason> {
    return this.#full;
  }

  /** Undefined where there is no room for more of an author. */
  intake(author: string): Intake | undefined {
    const reason = this.deps.fullFor(author);
    if (reason !== undefined) this.#noteFull(author, reason);
    // Whether the disk takes it again, only the next write shows.
    else if (this.#full.get(author) !== 'write') this.#full.delete(author);
    // Epochs that are open go on.
    return reason === undefined || reason === 'epochs' ? new Intake(this.deps, author) : undefined;
  }

  /** Those of which something is new. Throws ERR_LEDGER_WRITE_FAILED. */
  write(intakes: readonly Intake[]): readonly Intake[] {
    const grown = intakes.filter(({ appends }) => appends.length > 0);
    try {
      this.#store(
        grown.flatMap(({ appends }) => appends),
        intakes.flatMap(({ forks }) => forks),
      );
    } catch (error) {
      if (isSparcError(error, 'ERR_LEDGER_WRITE_FAILED')) {
        for (const { author } of grown) this.#noteFull(author, 'write');
      }
      throw error;
    }
    for (const { author } of grown) if (this.#full.get(author) === 'write') this.#full.delete(author);
    return grown;
  }

  /** The proof of a fork that no batch brought. Throws ERR_LEDGER_WRITE_FAILED. */
  writeFork(fork: Fork): void {
    this.#store([], [fork]);
  }

  #store(appends: readonly ReplicaAppend[], forks: readonly Fork[]): void {
    const news = new Map<string, Fork>();
    for (const fork of forks) {
      const seen = this.#forksOf(fork);
      if (seen.size >= FORKS_MAX || seen.has(forkName(fork))) continue;
      news.set(forkName(fork), fork);
    }
    if (appends.length === 0 && news.size === 0) return;
    this.deps.store.append(appends, [...news.values()]);
    for (const [name, fork] of news) {
      this.#forksOf(fork).add(name);
      this.deps.onFork(fork);
    }
  }

  #noteFull(author: string, reason: FullReason): void {
    const isKnown = this.#full.has(author);
    this.#full.set(author, reason);
    if (!isKnown) this.deps.onFull(author, reason);
  }

  #forksOf({ first }: Fork): Set<string> {
    const author = toHex(first.author);
    const known = this.#forks.get(author) ?? new Set();
    this.#forks.set(author, known);
    return known;
  }
}
