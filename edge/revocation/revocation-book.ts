import { AUTHORITY_NAME } from '@sparc/protocol/directive';
import { isSparcError, SparcError } from '@sparc/protocol/errors';
import type { EventDraft } from '@sparc/protocol/events';
import type { Clock, EntryId, Timer } from '@sparc/protocol/ports';
import type { RevocationView } from '../access/index.js';
import { completeTo, revocationRecord, type Revocation, type RevocationSubject } from './revocation.js';

/** Tombstones never end, so the list only grows, by one for each directive; more are refused, and have to go into the policy. */
export const REVOCATIONS_MAX = 50_000;
/** Of these, directed by one operator, so that no stolen key keeps all others from revoking. The authority has no such bound. */
export const REVOCATIONS_OF_ONE_MAX = 10_000;
/** A disk that failed is tried again after this. */
const SAVE_RETRY_MS = 1_000;
/** A person waits no longer for a journal that is being read back. */
const RESTORE_PATIENCE_MS = 3_000;
/** In force, and waiting for the journal to say which numbers are taken. */
const UNNUMBERED = 0;

export interface LoadedRevocations {
  readonly revocations: readonly Revocation[];
  /** Why some or all could not be read. */
  readonly error?: SparcError;
}

/** What the journal has of earlier runs. */
export interface RecordedRevocations {
  /** The highest number in it. */
  readonly newest: number;
  /** All of them, oldest first; it may take long. */
  readonly read: () => Promise<readonly Revocation[]>;
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
  /** Absent: there was no earlier run. */
  readonly recorded?: (() => Promise<RecordedRevocations>) | undefined;
  /** Whether the policy in force says by itself what this directive said: then it does not lie over that. */
  readonly isAbsorbed: (directive: string) => boolean;
  /** Keeps a record whenever the journal can. */
  readonly record: (event: EventDraft, cause?: Promise<EntryId | undefined>) => unknown;
  readonly onFailure: (error: unknown, what: string) => void;
}

/** What is known of a revocation beside whose and by whom. */
export interface RevocationOrigin {
  /** The policy in force has nobody of that id. */
  readonly isUnlisted?: boolean;
  /** Id of the directive that says so, when its operator signed it, and the entry that carries it. */
  readonly directive?: string;
  readonly carriedUnixMs?: number;
  readonly cause?: Promise<EntryId | undefined>;
}

/** Two directives that revoke the same are two revocations: a policy may have absorbed one of them. */
type Named = Pick<Revocation, 'subject' | 'id' | 'directive'>;
/** By id of whom, then by directive. */
type Numbers = Map<string, Map<string, number>>;
/** In place of a directive, which none is absorbed as. */
const BY_HAND = '';

interface Unnumbered {
  readonly revocation: Omit<Revocation, 'number'>;
  readonly cause: RevocationOrigin['cause'];
}

/**
 * The revocations of this gateway. One is in force from the call that makes it, and acknowledged when it is on disk. It
 * gets its number once the journal of earlier runs was asked, so that no number is given twice.
 */
export class RevocationBook implements RevocationView {
  /** In the order of their numbers. */
  #all: readonly Revocation[] = [];
  readonly #credentials: Numbers = new Map();
  readonly #holders: Numbers = new Map();
  #unnumbered: readonly Unnumbered[] = [];
  /** No number up to it is given again. */
  #highest = 0;
  /** Whatever can be had of those up to the highest is here. */
  #isComplete = false;
  #restoring: Promise<void> | undefined;
  readonly #unsaved: Revocation[] = [];
  /** The list lacks some that were taken from the journal. */
  #isListBehind = false;
  #saving: Promise<void> | undefined;
  #retry: Timer | undefined;
  #isStopped = false;

  constructor(private readonly deps: RevocationBookDeps) {}

  /** Once, before anything is decided. What the list has lost comes from the journal meanwhile. */
  start(): void {
    const { store, recorded } = this.deps;
    const { revocations, error } = store.load();
    this.#take(revocations);
    if (error !== undefined) this.#damaged(error, 'revocations are lost');
    if (recorded === undefined) this.#isComplete = true;
    else this.#restoring = this.#restore(recorded).then(() => this.#settle());
  }

  /** Resolves when the save that is under way has ended; what failed is not tried again. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#retry?.cancel();
    await this.#saving?.catch(() => undefined);
  }

  /** Of which it is sure that none before it is unknown here: a journal that knows more refuses grants. */
  get newest(): number {
    return this.#isComplete ? this.#highest : completeTo(this.#all);
  }

  /** Whether this very one was made; a holder's ends their credentials without being one of each. */
  has(subject: RevocationSubject, id: string, directive: string): boolean {
    return this.#numberOf({ subject, id, directive }) !== undefined;
  }

  /**
   * Since when whoever is credential and holder at once is revoked, by the site's time; undefined where they are not. A
   * visitor: the policy that absorbed it has somebody of that id, who outranks them.
   */
  revokedUnixMs(id: string): number | undefined {
    if (!this.#credentials.has(id) && !this.#holders.has(id)) return undefined;
    const all = [...this.#all, ...this.#unnumbered.map(({ revocation }) => revocation)];
    const own = all.filter((each) => each.id === id);
    return Math.max(...own.map(({ carriedUnixMs, atUnixMs }) => carriedUnixMs ?? atUnixMs));
  }

  /** For people's screens. */
  get applied(): { readonly number: number; readonly appliedAtUnixMs?: number } {
    const last = this.#all.at(-1);
    return { number: this.newest, ...(last !== undefined && { appliedAtUnixMs: last.atUnixMs }) };
  }

  of(credentialId: string, holderId?: string): number | undefined {
    const ofHolder = holderId === undefined ? undefined : this.#holders.get(holderId);
    return this.#standing(this.#credentials.get(credentialId)) ?? this.#standing(ofHolder);
  }

  #standing(numbers: ReadonlyMap<string, number> | undefined): number | undefined {
    if (numbers === undefined) return undefined;
    for (const [directive, number] of numbers) if (!this.deps.isAbsorbed(directive)) return number;
    return undefined;
  }

  /**
   * Resolves when it is on disk, with its number; one that was made before, by the same directive or by hand, is the same one. Rejects with
   * ERR_GATEWAY_REVOCATION_UNSAVED, when it is in force but a restart would forget it, or ERR_GATEWAY_ORDER_REFUSED.
   */
  async revoke(subject: RevocationSubject, id: string, by: string, origin: RevocationOrigin = {}): Promise<number> {
    const { directive } = origin;
    const named = { subject, id, ...(directive !== undefined && { directive }) };
    if (this.#numberOf(named) === undefined) this.#add(subject, id, by, origin);
    await this.#restored();
    await this.#save();
    return this.#numberOf(named) ?? UNNUMBERED;
  }

  #numberOf({ subject, id, directive = BY_HAND }: Named): number | undefined {
    return this.#numbers(subject).get(id)?.get(directive);
  }

  #setNumber({ subject, id, directive = BY_HAND }: Named, number: number): void {
    const numbers = this.#numbers(subject);
    numbers.set(id, (numbers.get(id) ?? new Map<string, number>()).set(directive, number));
  }

  #numbers(subject: RevocationSubject): Numbers {
    return subject === 'credential' ? this.#credentials : this.#holders;
  }

  #add(subject: RevocationSubject, id: string, by: string, origin: RevocationOrigin): void {
    this.#assertRoom(id, by, origin);
    const atUnixMs = this.deps.clock.wall().unixMs;
    const { isUnlisted = false, directive, carriedUnixMs, cause } = origin;
    const more = {
      ...(isUnlisted && { isUnlisted }),
      ...(directive !== undefined && { directive }),
      ...(carriedUnixMs !== undefined && { carriedUnixMs }),
    };
    const revocation = { subject, id, by, atUnixMs, ...more };
    this.#setNumber(revocation, UNNUMBERED);
    this.#unnumbered = [...this.#unnumbered, { revocation, cause }];
    if (this.#restoring === undefined) this.#numberAll();
  }

  #assertRoom(id: string, by: string, { directive }: RevocationOrigin): void {
    const all = [...this.#all, ...this.#unnumbered.map(({ revocation }) => revocation)];
    const isBounded = directive !== undefined && by !== AUTHORITY_NAME;
    const ofOneCount = isBounded ? all.filter((each) => each.directive !== undefined && each.by === by).length : 0;
    if (all.length < REVOCATIONS_MAX && ofOneCount < REVOCATIONS_OF_ONE_MAX) return;
    const held = all.length < REVOCATIONS_MAX ? `${ofOneCount} revocations of ${by}` : `${all.length} revocations`;
    throw new SparcError('ERR_GATEWAY_ORDER_REFUSED', `${held} are held; block ${id} in the site file`);
  }

  #numberAll(): void {
    for (const { revocation: each, cause } of this.#unnumbered) {
      // Else the journal had it from before.
      if (this.#numberOf(each) !== UNNUMBERED) continue;
      const revocation: Revocation = { number: this.#highest + 1, ...each };
      this.#take([revocation]);
      this.#unsaved.push(revocation);
      this.deps.record(revocationRecord(revocation), cause);
    }
    this.#unnumbered = [];
  }

  #take(revocations: readonly Revocation[]): void {
    for (const each of revocations) this.#setNumber(each, each.number);
    this.#all = [...this.#all, ...revocations].sort((a, b) => a.number - b.number);
    this.#highest = Math.max(this.#highest, this.#all.at(-1)?.number ?? 0);
  }

  /** Until it is done, and if it fails, the journal refuses grants that do not know of every revocation in it. */
  async #restore(recorded: () => Promise<RecordedRevocations>): Promise<void> {
    try {
      const { newest, read } = await recorded();
      this.#highest = Math.max(this.#highest, newest);
      // By the numbers and not by the highest: a line in the middle rots as well as the last.
      if (completeTo(this.#all) < newest) this.#takeMissing(await read());
      this.#isComplete = true;
    } catch (error) {
      this.#damaged(error, 'revocations could not be taken from the journal');
    }
  }

  #settle(): void {
    this.#restoring = undefined;
    this.#numberAll();
    this.#save().catch(() => undefined);
  }

  #takeMissing(revocations: readonly Revocation[]): void {
    const listed = new Set(this.#all.map(nameOf));
    const missing = revocations.filter((each) => !listed.has(nameOf(each)));
    if (missing.length === 0) return;
    this.#take(missing);
    this.#isListBehind = true;
    this.deps.record({ name: 'revocation.list_restored', detail: { count: String(missing.length) } });
  }

  async #restored(): Promise<void> {
    if (this.#restoring === undefined) return;
    let timer: Timer | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = this.deps.clock.setTimer(RESTORE_PATIENCE_MS, () =>
        reject(unsaved('the journal has not been read back yet')),
      );
    });
    await Promise.race([this.#restoring, late]).finally(() => timer?.cancel());
  }

  #damaged(error: unknown, what: string): void {
    this.deps.onFailure(error, what);
    const code = isSparcError(error) ? error.code : 'ERR_GATEWAY_INTERNAL';
    this.deps.record({ name: 'revocation.list_damaged', code });
  }

  #save(): Promise<void> {
    this.#saving ??= this.#saveAll().finally(() => (this.#saving = undefined));
    return this.#saving;
  }

  /** The only writer, one write at a time; what comes meanwhile is saved before it resolves. */
  async #saveAll(): Promise<void> {
    if (this.#isStopped) throw unsaved('the gateway stops');
    this.#retry?.cancel();
    const { store } = this.deps;
    try {
      for (;;) {
        const [next] = this.#unsaved;
        if (this.#isListBehind) await this.#replaceList();
        else if (next === undefined) return;
        else {
          await store.append(next);
          this.#unsaved.shift();
        }
      }
    } catch (cause) {
      this.deps.onFailure(cause, 'a revocation cannot be saved');
      if (!this.#isStopped) {
        this.#retry = this.deps.clock.setTimer(SAVE_RETRY_MS, () => void this.#save().catch(() => undefined));
      }
      throw unsaved('the disk does not take it', cause);
    }
  }

  async #replaceList(): Promise<void> {
    const includedCount = this.#unsaved.length;
    await this.deps.store.replace(this.#all);
    this.#unsaved.splice(0, includedCount);
    this.#isListBehind = false;
  }
}

const nameOf = ({ number, subject, id }: Revocation): string => `${number} ${subject} ${id}`;

const unsaved = (why: string, cause?: unknown) =>
  new SparcError(
    'ERR_GATEWAY_REVOCATION_UNSAVED',
    `the revocation is in force, but ${why}: a restart would forget it`,
    {},
    { cause },
  );
