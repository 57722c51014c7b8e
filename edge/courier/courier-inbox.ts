import { isSparcError, type SparcError } from '@sparc/protocol/errors';
import { readCourier, type CourierItem, type CourierOpening } from '@sparc/protocol/courier';
import type { Batch, LedgerCrypto } from '@sparc/protocol/ledger';
import type { Clock, Timer } from '@sparc/protocol/ports';
import type { InboxFolder } from './inbox-folder.js';

/** How often the folder is looked at. */
const LOOK_INTERVAL_MS = 1_000;
/** What the own disk did not take is tried again after this. */
const RETRY_PAUSE_MS = 60_000;
/** Then neighbours and requests have their turn. */
const WORK_AT_ONCE_MS = 20;

/** A flush of the disk takes many parts. */
const PARTS_AT_ONCE_BYTES = 1_048_576;

/** What was new in a courier. */
export interface Taken {
  readonly courier: string;
  /** Public key of whoever made it, in hex. */
  readonly maker: string;
  readonly entriesCount: number;
  readonly partsCount: number;
  /** Batches that follow on entries which are neither here nor in it. */
  readonly detachedCount: number;
}

export interface CourierInboxDeps {
  readonly clock: Clock;
  readonly crypto: LedgerCrypto;
  /** Of the site, the present one and those before that still taken. */
  secrets(): readonly Uint8Array[];
  /** Throws unless whoever made it belongs to the site. */
  admit(opening: CourierOpening): void;
  /**
   * Verifies and stores a batch as if a neighbour had sent it, and says how many entries are new. Throws
   * ERR_LEDGER_ENTRY_MISSING where it follows on what is not here, and what proves it wrong.
   */
  takeBatch(batch: Batch): number;
  /** Stores those parts that a policy revision names. Says how many are new. */
  takeParts(parts: readonly Uint8Array[]): number;
  onTaken(taken: Taken): void;
  onRefused(courier: string, error: SparcError): void;
  /** The own disk refused something; it is tried again. */
  onFailure(error: unknown, what: string): void;
}

/** Takes couriers from the inbox one after the other, and lets others work in between. */
export class CourierInbox {
  #timer: Timer | undefined;
  #looking: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(
    private readonly deps: CourierInboxDeps,
    private readonly folder: InboxFolder,
  ) {}

  start(): void {
    this.#lookIn(0);
  }

  /** Idempotent. What was taken in part is taken again at the next start. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    await this.#looking;
  }

  #lookIn(delayMs: number): void {
    if (this.#isStopped) return;
    this.#timer = this.deps.clock.setTimer(delayMs, () => {
      this.#looking = this.#look();
    });
  }

  async #look(): Promise<void> {
    try {
      for (const courier of this.folder.list()) {
        const taken = await this.#take(courier);
        if (this.#isStopped) return;
        if (taken !== undefined) this.deps.onTaken(taken);
        this.folder.remove(courier);
      }
      this.#lookIn(LOOK_INTERVAL_MS);
    } catch (error) {
      this.deps.onFailure(error, 'a courier could not be taken');
      this.#lookIn(RETRY_PAUSE_MS);
    }
  }

  /** Undefined where it was refused; what came before that was verified by itself and is kept. */
  async #take(courier: string): Promise<Taken | undefined> {
    const { crypto, clock } = this.deps;
    const taking = new Taking(this.deps, courier);
    try {
      const pieces = this.folder.pieces(courier);
      let sinceMs = clock.monotonicMs();
      for (const item of readCourier(crypto, this.deps.secrets(), pieces, (opening) => taking.begin(opening))) {
        taking.take(item);
        if (clock.monotonicMs() - sinceMs < WORK_AT_ONCE_MS) continue;
        await new Promise<void>((resolve) => clock.setTimer(0, resolve));
        if (this.#isStopped) return undefined;
        sinceMs = clock.monotonicMs();
      }
      return taking.end();
    } catch (error) {
      if (!isSparcError(error) || OWN_FAILURES.includes(error.code)) throw error;
      this.deps.onRefused(courier, error);
      return undefined;
    }
  }
}

/** What the own disk is to blame for. */
const OWN_FAILURES: readonly string[] = ['ERR_LEDGER_WRITE_FAILED', 'ERR_LEDGER_CORRUPT', 'ERR_POLICY_PARTS_FAILED'];

/** One courier, item by item. */
class Taking {
  #maker = '';
  #entriesCount = 0;
  #partsCount = 0;
  #detachedCount = 0;
  #parts: Uint8Array[] = [];
  #partsBytes = 0;

  constructor(
    private readonly deps: Pick<CourierInboxDeps, 'admit' | 'takeBatch' | 'takeParts'>,
    private readonly courier: string,
  ) {}

  begin(opening: CourierOpening): void {
    this.deps.admit(opening);
    this.#maker = opening.maker;
  }

  take(item: CourierItem): void {
    if ('batch' in item) return this.#takeBatch(item.batch);
    this.#parts.push(item.part);
    this.#partsBytes += item.part.length;
    if (this.#partsBytes >= PARTS_AT_ONCE_BYTES) this.#takeParts();
  }

  end(): Taken {
    this.#takeParts();
    return {
      courier: this.courier,
      maker: this.#maker,
      entriesCount: this.#entriesCount,
      partsCount: this.#partsCount,
      detachedCount: this.#detachedCount,
    };
  }

  #takeBatch(batch: Batch): void {
    try {
      this.#entriesCount += this.deps.takeBatch(batch);
    } catch (error) {
      if (!isSparcError(error, 'ERR_LEDGER_ENTRY_MISSING')) throw error;
      this.#detachedCount += 1;
    }
  }

  #takeParts(): void {
    if (this.#parts.length > 0) this.#partsCount += this.deps.takeParts(this.#parts);
    this.#parts = [];
    this.#partsBytes = 0;
  }
}
