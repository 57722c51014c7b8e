import { isSparcError, type ErrorCode } from '@sparc/protocol/errors';
import type { EpochId } from '@sparc/protocol/ledger';
import type { EpochEnd } from '@sparc/protocol/replication';
import { toHex } from '../platform/index.js';
import { entriesAfter, type AuthorEntry, type ReadableLogs } from './author-entries.js';

/** What is done with entries of one kind. */
export interface AuthorityHandler {
  readonly kind: string;
  /** Throws for an entry that cannot be decoded or applied; what its kind said before stays then. */
  take(entry: Omit<AuthorEntry, 'epoch' | 'sequence'>): void;
}

export function handlerOf<T>(
  kind: string,
  codec: { decode(body: Uint8Array): T },
  apply: (value: T) => void,
): AuthorityHandler {
  return { kind, take: ({ body }) => apply(codec.decode(body)) };
}

/** The newest entry of a kind does not count, and the last good one does. */
export interface RefusedEntry {
  readonly kind: string;
  readonly epoch: EpochId;
  readonly sequence: number;
  readonly code: ErrorCode;
  readonly message: string;
}

/** Reads what the authority of the site says, as it comes to the own disk, and hands it on by kind. */
export class AuthorityReader {
  readonly #handlers: ReadonlyMap<string, AuthorityHandler>;
  readonly #refused = new Map<string, RefusedEntry>();
  #told: readonly RefusedEntry[] = [];
  /** By epoch, as text: up to where it was read. */
  readonly #ends = new Map<string, EpochEnd>();

  constructor(
    private readonly logs: ReadableLogs,
    /** Its public key, in hex. */
    private readonly authority: string,
    handlers: readonly AuthorityHandler[],
    private readonly onRefused: (entry: RefusedEntry) => void,
  ) {
    this.#handlers = new Map(handlers.map((handler) => [handler.kind, handler]));
  }

  /** Of each kind whose newest entry does not count. */
  get refused(): readonly RefusedEntry[] {
    return [...this.#refused.values()];
  }

  /** Takes what was stored since the last time, and tells what is refused then: not what a later entry made good. Throws as the store does. */
  read(): void {
    for (const entry of entriesAfter(this.logs, this.authority, [...this.#ends.values()])) {
      this.#take(entry);
      const { epoch, sequence } = entry;
      this.#ends.set(`${epoch.counter} ${toHex(epoch.random)}`, { epoch, sequence });
    }
    const told = this.#told;
    this.#told = this.refused;
    for (const refused of this.#told) if (!told.includes(refused)) this.onRefused(refused);
  }

  /** What is wrong with one entry stops neither later ones nor other kinds. */
  #take(entry: AuthorEntry): void {
    const { kind, epoch, sequence } = entry;
    const handler = this.#handlers.get(kind);
    if (handler === undefined) return;
    try {
      handler.take(entry);
      this.#refused.delete(kind);
    } catch (error) {
      if (!isSparcError(error)) throw error;
      this.#refused.set(kind, { kind, epoch, sequence, code: error.code, message: error.message });
    }
  }
}
