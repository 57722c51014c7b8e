import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isSparcError, SparcError } from '@sparc/protocol/errors';
import type { Clock } from '@sparc/protocol/ports';
import type { AuthorLog } from '@sparc/protocol/replication';
import { mergeExpulsions, type Expulsion } from '@sparc/protocol/roster';
import { FollowedReplicas, HeardReader, type Heard } from '../heard/index.js';
import { JOURNAL_FILE, JournalLog, nodeCrypto } from '../ledger/index.js';
import { readMembership } from '../membership/index.js';
import { toHex, verifySignature } from '../platform/index.js';
import { REPLICA_FILE } from '../replica/index.js';
import type { ReplicaThreadData, Unheard } from './replica-messages.js';

export interface HeardFeedDeps {
  readonly clock: Clock;
  /** Resolves when it took it: it is told no more before. */
  readonly tell: (heard: Heard) => Promise<void>;
  readonly onUnheard: (unheard: Unheard) => void;
  /** Lets others have their turn. */
  readonly turn: () => Promise<unknown>;
}

/** Brings what others say from the replicas to the field. The gateway may join its site while it runs. */
export class HeardFeed {
  readonly #replicas: FollowedReplicas;
  #reader: HeardReader | undefined;
  /** That were told here; those of the disk are known to the reader from its start. */
  #expulsions: readonly Expulsion[] = [];
  #isWanted = false;
  #running: Promise<void> | undefined;
  /** Why nobody is heard, as it was last told. */
  #trouble: string | undefined;

  constructor(
    private readonly deps: HeardFeedDeps,
    private readonly data: ReplicaThreadData,
  ) {
    this.#replicas = new FollowedReplicas(join(data.dataDir, REPLICA_FILE));
  }

  /** There may be more. Resolves when all that is there was told; never rejects. */
  look(): Promise<void> {
    this.#isWanted = true;
    this.#running ??= this.#run().finally(() => (this.#running = undefined));
    return this.#running;
  }

  /** An operator expelled a gateway: all whom operators expelled. To be followed by a look. */
  expelled(expulsions: readonly Expulsion[]): void {
    this.#expulsions = expulsions;
    this.#reader?.expelled(expulsions);
  }

  async #run(): Promise<void> {
    try {
      for (let isMore = false; this.#isWanted || isMore;) {
        if (this.#isWanted) this.#replicas.look();
        this.#isWanted = false;
        const reader = (this.#reader ??= this.#open());
        if (reader === undefined) break;
        const { heard, ...piece } = reader.read();
        isMore = piece.isMore;
        if (heard !== undefined) await this.deps.tell(heard);
        if (isMore) await this.deps.turn();
      }
      this.#trouble = undefined;
    } catch (error) {
      if (!isSparcError(error)) throw error;
      // What can be read again is told anew: nobody knows what the files lost meanwhile.
      this.#reader = undefined;
      const { code, message } = error;
      if (this.#trouble !== message) this.deps.onUnheard({ code, message });
      this.#trouble = message;
    }
  }

  /** Undefined as long as the gateway is a member of no site. */
  #open(): HeardReader | undefined {
    const { clock, onUnheard } = this.deps;
    const membership = readMembership(this.data.dataDir, verifySignature);
    if (membership === undefined) return undefined;
    const { authority, roster, expulsions } = membership;
    return new HeardReader({
      clock,
      crypto: nodeCrypto,
      logs: this.#replicas,
      self: toHex(this.data.publicKey),
      ownLog: () => this.#ownLog(),
      authority,
      roster,
      expulsions: mergeExpulsions(expulsions, this.#expulsions),
      onRefused: (author, { code, message }) => onUnheard({ author, code, message }),
    });
  }

  /** Asked for only where a neighbour gave back what the own disk lost. Throws ERR_LEDGER_CORRUPT or ERR_LEDGER_ABSENT. */
  #ownLog(): AuthorLog {
    const path = join(this.data.dataDir, JOURNAL_FILE);
    if (!existsSync(path)) return [];
    let journal: JournalLog | undefined;
    try {
      journal = new JournalLog(path, this.data.publicKey);
      return journal.log();
    } catch (cause) {
      if (isSparcError(cause)) throw cause;
      throw new SparcError('ERR_LEDGER_ABSENT', `${path} cannot be read`, { path }, { cause });
    } finally {
      journal?.close();
    }
  }
}
