import { identifierKey } from '@sparc/protocol/card-format';
import type { Visitor } from '@sparc/protocol/directive';
import { isSparcError, SparcError } from '@sparc/protocol/errors';
import type { EventDraft } from '@sparc/protocol/events';
import type { Clock, EntryId } from '@sparc/protocol/ports';
import type { Visitor as KnownVisitor, VisitorView } from '../access/index.js';

/** At a time. Those whose time is over make room. */
export const VISITORS_MAX = 1_000;

/** A visitor, and who let them in. */
export interface GivenVisitor {
  /** Id of the directive. */
  readonly directive: string;
  /** Name of the operator. */
  readonly by: string;
  readonly visitor: Visitor;
}

/** Where visitors survive a restart. */
export interface VisitorStore {
  /** Undefined where there was nothing. Throws ERR_GATEWAY_VISITORS_DAMAGED. */
  load(): GivenVisitor[] | undefined;
  /** Resolves when it is on disk. */
  save(all: GivenVisitor[]): Promise<void>;
}

/** For a gateway that has no disk of its own, such as one in a test. */
export const VOLATILE_VISITORS: VisitorStore = { load: () => undefined, save: () => Promise.resolve() };

export interface VisitorBookDeps {
  readonly clock: Clock;
  readonly store: VisitorStore;
  readonly isRevoked: (id: string) => boolean;
  /** Keeps a record whenever the journal can; resolves when it is on disk, to undefined where it never will be. */
  readonly record: (event: EventDraft, cause?: Promise<EntryId | undefined>) => Promise<EntryId | undefined>;
  readonly onFailure: (error: unknown, what: string) => void;
}

interface Kept extends GivenVisitor {
  readonly key: string;
  readonly known: KnownVisitor;
}

/** The visitors of this gateway. One is recorded before it counts; a restart forgets none that is on disk. */
export class VisitorBook implements VisitorView {
  /** By directive. */
  readonly #all = new Map<string, Kept>();
  /** By identifier key; of each the one that counts is chosen when somebody asks. */
  readonly #byKey = new Map<string, readonly Kept[]>();
  readonly #adding = new Map<string, Promise<void>>();
  #saving = Promise.resolve();

  constructor(private readonly deps: VisitorBookDeps) {}

  /** Once, before anything is decided. */
  start(): void {
    try {
      for (const given of this.deps.store.load() ?? []) this.#take(kept(given));
    } catch (error) {
      const code = isSparcError(error) ? error.code : 'ERR_GATEWAY_INTERNAL';
      this.deps.onFailure(error, 'visitors are lost');
      void this.deps.record({ name: 'visitor.list_lost', code });
    }
  }

  /** Whether somebody was let in under this id, and still or soon is. */
  has(id: string): boolean {
    return [...this.#all.values()].some(({ visitor }) => visitor.id === id);
  }

  visitorOf(identifierKey: string, atUnixMs: number): KnownVisitor | undefined {
    const candidates = this.#byKey.get(identifierKey);
    if (candidates === undefined) return undefined;
    const rank = ({ known: { id, fromUnixMs, untilUnixMs } }: Kept) =>
      this.deps.isRevoked(id) ? 2 : fromUnixMs <= atUnixMs && atUnixMs < untilUnixMs ? 0 : 1;
    return [...candidates].sort((a, b) => rank(a) - rank(b) || latestFirst(a, b))[0]?.known;
  }

  /**
   * Resolves when it counts and is on disk; one that is here already is the same one. A disk that does not take it is told
   * as a failure. Rejects with ERR_CARD_FORMAT_UNKNOWN, ERR_CARD_FIELD_RANGE or ERR_DIRECTIVE_VISITORS_MAX.
   */
  add(given: GivenVisitor, cause?: EntryId): Promise<void> {
    const { directive } = given;
    if (this.#all.has(directive)) return Promise.resolve();
    const under = this.#adding.get(directive) ?? this.#add(given, cause).finally(() => this.#adding.delete(directive));
    this.#adding.set(directive, under);
    return under;
  }

  /** The operator never had the right, as it turns out. `code`: why. */
  end(directive: string, code: string): void {
    const ended = this.#all.get(directive);
    if (ended === undefined) return;
    this.#forget(ended);
    void this.deps.record({ name: 'visitor.ended', credentialId: ended.visitor.id, code, detail: { directive } });
    void this.#save();
  }

  async #add(given: GivenVisitor, cause: EntryId | undefined): Promise<void> {
    const visitor = kept(given);
    const { id, fromUnixMs, untilUnixMs } = visitor.known;
    this.#makeRoom();
    const recorded = await this.deps.record(
      {
        name: 'visitor.added',
        credentialId: id,
        detail: {
          by: given.by,
          directive: given.directive,
          from: new Date(fromUnixMs).toISOString(),
          until: new Date(untilUnixMs).toISOString(),
        },
      },
      cause && Promise.resolve(cause),
    );
    if (recorded === undefined) return;
    this.#take(visitor);
    await this.#save();
  }

  /** Counts those on their way in too. */
  #makeRoom(): void {
    const nowUnixMs = this.deps.clock.wall().unixMs;
    const over = [...this.#all.values()].filter(({ known }) => known.untilUnixMs <= nowUnixMs);
    for (const each of over) {
      if (this.#all.size + this.#adding.size < VISITORS_MAX) return;
      this.#forget(each);
    }
    if (this.#all.size + this.#adding.size < VISITORS_MAX) return;
    throw new SparcError('ERR_DIRECTIVE_VISITORS_MAX', `${VISITORS_MAX} visitors are let in already`);
  }

  #take(visitor: Kept): void {
    const { directive, key } = visitor;
    this.#all.set(directive, visitor);
    this.#byKey.set(key, [...(this.#byKey.get(key) ?? []), visitor]);
  }

  #forget({ directive, key }: Kept): void {
    this.#all.delete(directive);
    const left = (this.#byKey.get(key) ?? []).filter((each) => each.directive !== directive);
    if (left.length === 0) this.#byKey.delete(key);
    else this.#byKey.set(key, left);
  }

  /** One write at a time; the next one has whatever a failed one had not. */
  #save(): Promise<void> {
    this.#saving = this.#saving
      .then(() =>
        this.deps.store.save([...this.#all.values()].map(({ directive, by, visitor }) => ({ directive, by, visitor }))),
      )
      .catch((error: unknown) => this.deps.onFailure(error, 'visitors cannot be saved: a restart forgets them'));
    return this.#saving;
  }
}

/** Throws ERR_CARD_FORMAT_UNKNOWN or ERR_CARD_FIELD_RANGE. */
function kept(given: GivenVisitor): Kept {
  const { id, identifier, profiles, fromUnixMs, untilUnixMs } = given.visitor;
  const issue = 'issue' in identifier ? identifier.issue : undefined;
  const known = { id, profiles, fromUnixMs, untilUnixMs, ...(issue !== undefined && { issue }) };
  return { ...given, key: identifierKey(identifier), known };
}

/** The same at every gateway, whatever came first. */
const latestFirst = (a: Kept, b: Kept): number =>
  b.known.fromUnixMs - a.known.fromUnixMs || (a.directive < b.directive ? -1 : 1);
