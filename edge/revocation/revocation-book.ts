import { SparcError } from '@sparc/protocol/errors';
import type { EventDraft } from '@sparc/protocol/events';
import type { Clock, Timer } from '@sparc/protocol/ports';
import type { RevocationView } from '../access/index.js';
import { revocationRecord, type Revocation, type RevocationSubject } from './revocation.js';

/** Tombstones never end, so the list only grows; more are refused, and have to go into the policy. */
export const REVOCATIONS_MAX = 50_000;
/** A disk that failed is tried again after this. */
const SAVE_RETRY_MS = 1_000;

export interface LoadedRevocations {
  readonly revocations: readonly Revocation[];
  /** Why some or all could not be read. */
  readonly error?: SparcError;
}

/** What the journal has of earlier runs, as far as a list lacks it. */
export interface RecordedRevocations {
  readonly newest: number;
  readonly revocations: readonly Revocation[];
}

/** Where revocations survive a restart. */
export interface RevocationStore {
  load(): LoadedRevocations;
  /** Resolves when it is on disk. */
  append(revocation: Revocation): Promise<void>;
  replace(revocations: readonly Revocation[]): Promise<void>;
}

/** For a gateway that has no disk of its own, such as one in a test: each start is without revocations. */
export const VOLATILE_REVOCATIONS: RevocationStore = {
  load: () => ({ revocations: [] }),
  append: () => Promise.resolve(),
  replace: () => Promise.resolve(),
};

export interface RevocationBookDeps {
  readonly clock: Clock;
  readonly store: RevocationStore;
  /** Keeps a record whenever the journal can. */
  readonly record: (event: EventDraft) => void;
  readonly onFailure: (error: unknown, what: string) => void;
}

/** The revocations of this gateway. One is in force from the call that makes it, and acknowledged when it is on disk. */
export class RevocationBook implements RevocationView {
  /** In the order of their numbers. */
  #all: readonly Revocation[] = [];
  /** What the journal says was applied, though it may not be listed here. */
  #recordedNewest = 0;
  readonly #credentials = new Map<string, number>();
  readonly #holders = new Map<string, number>();
  readonly #unsaved: Revocation[] = [];
  #saving: Promise<void> | undefined;
  #retry: Timer | undefined;

  constructor(private readonly deps: RevocationBookDeps) {}

  /** Once, before anything is decided. */
  start(): void {
    const { revocations, error } = this.deps.store.load();
    this.#take(revocations);
    if (error === undefined) return;
    this.deps.onFailure(error, 'revocations are lost');
    this.deps.record({ name: 'revocation.list_damaged', code: error.code });
  }

  /** A save that is under way goes on. */
  stop(): void {
    this.#retry?.cancel();
  }

  get newest(): number {
    return Math.max(this.#recordedNewest, this.#all.at(-1)?.number ?? 0);
  }

  /** For people's screens. */
  get applied(): { readonly number: number; readonly appliedAtUnixMs?: number } {
    const last = this.#all.at(-1);
    return { number: this.newest, ...(last !== undefined && { appliedAtUnixMs: last.atUnixMs }) };
  }

  of(credentialId: string, holderId?: string): number | undefined {
    return this.#credentials.get(credentialId) ?? (holderId === undefined ? undefined : this.#holders.get(holderId));
  }

  /**
   * Resolves when it is on disk, with its number; one that was made before is the same one. Rejects with
   * ERR_GATEWAY_REVOCATION_UNSAVED, when it is in force but a restart would forget it, or ERR_GATEWAY_ORDER_REFUSED.
   */
  async revoke(subject: RevocationSubject, id: string, by: string): Promise<number> {
    const number = this.#numbers(subject).get(id) ?? this.#add(subject, id, by);
    await this.#save();
    return number;
  }

  /** Once: what the journal has and the list had lost. `newest`: the highest number that the journal knows. */
  async restore({ newest, revocations }: RecordedRevocations): Promise<void> {
    this.#recordedNewest = newest;
    const missing = revocations.filter(({ subject, id }) => !this.#numbers(subject).has(id));
    if (missing.length === 0) return;
    this.#take(missing);
    this.deps.record({ name: 'revocation.list_restored', detail: { count: String(missing.length) } });
    await this.deps.store.replace(this.#all);
  }

  #numbers(subject: RevocationSubject): Map<string, number> {
    return subject === 'credential' ? this.#credentials : this.#holders;
  }

  #add(subject: RevocationSubject, id: string, by: string): number {
    if (this.#all.length >= REVOCATIONS_MAX) {
      const message = `${REVOCATIONS_MAX} revocations are held; block ${id} in the site file`;
      throw new SparcError('ERR_GATEWAY_ORDER_REFUSED', message);
    }
    const atUnixMs = this.deps.clock.wall().unixMs;
    const revocation: Revocation = { number: this.newest + 1, subject, id, by, atUnixMs };
    this.#take([revocation]);
    this.#unsaved.push(revocation);
    this.deps.record(revocationRecord(revocation));
    return revocation.number;
  }

  #take(revocations: readonly Revocation[]): void {
    for (const { subject, id, number } of revocations) this.#numbers(subject).set(id, number);
    this.#all = [...this.#all, ...revocations].sort((a, b) => a.number - b.number);
  }

  #save(): Promise<void> {
    this.#saving ??= this.#saveAll();
    return this.#saving;
  }

  /** One at a time; what comes meanwhile is saved before it resolves. */
  async #saveAll(): Promise<void> {
    this.#retry?.cancel();
    try {
      for (let next = this.#unsaved[0]; next !== undefined; next = this.#unsaved[0]) {
        await this.deps.store.append(next);
        this.#unsaved.shift();
      }
    } catch (cause) {
      this.deps.onFailure(cause, 'a revocation cannot be saved');
      this.#retry = this.deps.clock.setTimer(SAVE_RETRY_MS, () => void this.#save().catch(() => undefined));
      const message = 'the revocation is in force, but the disk does not take it: a restart would forget it';
      throw new SparcError('ERR_GATEWAY_REVOCATION_UNSAVED', message, {}, { cause });
    } finally {
      this.#saving = undefined;
    }
  }
}
