import { identifierKey } from '@sparc/protocol/card-format';
import type { Visitor } from '@sparc/protocol/directive';
import { isSparcError, SparcError } from '@sparc/protocol/errors';
import type { EventDraft } from '@sparc/protocol/events';
import type { Clock, EntryId } from '@sparc/protocol/ports';
import type { Visitor as KnownVisitor, VisitorView } from '../access/index.js';

/** At a time. Those whose time is over make room. */
export const VISITORS_MAX = 1_000;
/** The same of one operator, so that none keeps all others from letting anybody in. */
export const VISITORS_OF_ONE_MAX = 250;

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
  readonly #adding = new Map<string, { readonly by: string; readonly added: Promise<void> }>();
  /** Of those on their way in: whom nobody has the right to let in, as it turned out, and why. */
  readonly #ended = new Map<string, string>();
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
   * Resolves when it counts and is on disk; one that is here already is the same one. Rejects with ERR_CARD_FORMAT_UNKNOWN,
   * ERR_CARD_FIELD_RANGE, ERR_DIRECTIVE_VISITORS_MAX, ERR_DIRECTIVE_VISITOR_UNRECORDED, when it does not count, or
   * ERR_DIRECTIVE_VISITOR_UNSAVED, when it does but a restart would forget it.
   */
  add(given: GivenVisitor, cause?: EntryId): Promise<void> {
    const { directive } = given;
    this.#ended.delete(directive);
    if (this.#all.has(directive)) return Promise.resolve();
    const under = this.#adding.get(directive);
    if (under !== undefined) return under.added;
    const added = this.#add(given, cause).finally(() => this.#adding.delete(directive));
    this.#adding.set(directive, { by: given.by, added });
    return added;
  }

  /** The operator never had the right, as it turns out. `code`: why. */
  end(directive: string, code: string): void {
    if (this.#adding.has(directive)) this.#ended.set(directive, code);
    const ended = this.#all.get(directive);
    if (ended === undefined) return;
    this.#forget(ended);
    this.#recordEnd(ended, code);
    this.#save().catch(() => undefined);
  }

  #recordEnd({ directive, visitor }: GivenVisitor, code: string): void {
    void this.deps.record({ name: 'visitor.ended', credentialId: visitor.id, code, detail: { directive } });
  }

  async #add(given: GivenVisitor, cause: EntryId | undefined): Promise<void> {
    const visitor = kept(given);
    const { id, fromUnixMs, untilUnixMs } = visitor.known;
    this.#makeRoom(given.by);
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
    if (recorded === undefined) {
      throw new SparcError('ERR_DIRECTIVE_VISITOR_UNRECORDED', `the journal does not take that ${id} is let in`);
    }
    const endedBy = this.#ended.get(given.directive);
    this.#ended.delete(given.directive);
    if (endedBy !== undefined) return this.#recordEnd(given, endedBy);
    this.#take(visitor);
    await this.#save();
  }

  /** Counts those on their way in too. */
  #makeRoom(by: string): void {
    const nowUnixMs = this.deps.clock.wall().unixMs;
    if (this.#hasRoom(by)) return;
    for (const each of [...this.#all.values()].filter(({ known }) => known.untilUnixMs <= nowUnixMs))
      this.#forget(each);
    if (this.#hasRoom(by)) return;
    const most = `${VISITORS_OF_ONE_MAX} visitors of ${by}, or ${VISITORS_MAX} of everybody,`;
    throw new SparcError('ERR_DIRECTIVE_VISITORS_MAX', `${most} are let in already`);
  }

  #hasRoom(by: string): boolean {
    const given = [...this.#all.values(), ...this.#adding.values()].map((each) => each.by);
    return given.length < VISITORS_MAX && given.filter((each) => each === by).length < VISITORS_OF_ONE_MAX;
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
    const saving = this.#saving.then(() =>
      this.deps.store.save([...this.#all.values()].map(({ directive, by, visitor }) => ({ directive, by, visitor }))),
    );
    this.#saving = saving.catch(() => undefined);
    return saving.catch((cause: unknown) => {
      this.deps.onFailure(cause, 'visitors cannot be saved: a restart forgets them');
      const message = 'the visitor is let in here, but the disk does not take it: a restart would forget it';
      throw new SparcError('ERR_DIRECTIVE_VISITOR_UNSAVED', message, {}, { cause });
    });
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
