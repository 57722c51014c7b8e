import { identifierKey } from '@sparc/protocol/card-format';
import type { Visitor } from '@sparc/protocol/directive';
import { isSparcError, SparcError } from '@sparc/protocol/errors';
import type { EventDraft } from '@sparc/protocol/events';
import type { Clock, EntryId } from '@sparc/protocol/ports';
import type { Visitor as KnownVisitor, VisitorView } from '../access/index.js';
import { NewestSaver } from '../platform/index.js';

/** Of more, those whose visits end last. */
export const VISITORS_MAX = 1_000;
/** The same of those whom one operator let in, so that none keeps all others from letting anybody in. */
export const VISITORS_OF_ONE_MAX = 250;

/** A visitor, and who let them in. */
export interface GivenVisitor {
  /** Id of the directive. */
  readonly directive: string;
  /** Of the stamp of the entry that carries it: what an operator's own machine shows says nothing about the order. */
  readonly carriedUnixMs: number;
  /** Public key of the operator, in hex, and their name. */
  readonly operator: string;
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
  /** Since when the visitor of an id is revoked, by the stamp of what carries that; undefined where they are not. */
  readonly revokedUnixMs: (id: string) => number | undefined;
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
  /** Of those on their way in: whom nobody has the right to let in, as it turned out, and why. */
  readonly #ended = new Map<string, string>();
  /** Of those on their way in: the earliest of the other entries that carry the directive. */
  readonly #carriedAgain = new Map<string, number>();
  readonly #saver: NewestSaver;

  constructor(private readonly deps: VisitorBookDeps) {
    this.#saver = new NewestSaver({
      clock: deps.clock,
      save: () => deps.store.save([...this.#all.values()].map(({ key: _key, known: _known, ...given }) => given)),
      onFailure: (error) => deps.onFailure(error, 'visitors cannot be saved: a restart forgets them'),
    });
  }

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

  /** Resolves when a last save that is under way has ended. */
  stop(): Promise<void> {
    return this.#saver.stop();
  }

  /** Whether somebody was let in under this id, and is not forgotten. */
  has(id: string): boolean {
    return [...this.#all.values()].some(({ visitor }) => visitor.id === id);
  }

  /** A card of which one visitor was revoked is nobody's until it is issued anew: who has it may be any of them. */
  visitorOf(identifierKey: string, atUnixMs: number): KnownVisitor | undefined {
    const all = this.#byKey.get(identifierKey) ?? [];
    const revokedUnixMs = ({ known: { id } }: Kept) => this.deps.revokedUnixMs(id) ?? -Infinity;
    const lastUnixMs = Math.max(...all.map(revokedUnixMs));
    const revoked = all.filter((each) => revokedUnixMs(each) > -Infinity);
    const issuedSince = all.filter((each) => !revoked.includes(each) && each.carriedUnixMs > lastUnixMs);
    const isNow = ({ known: { fromUnixMs, untilUnixMs } }: Kept) => fromUnixMs <= atUnixMs && atUnixMs < untilUnixMs;
    return (issuedSince.length > 0 ? issuedSince : revoked).sort(
      (a, b) => Number(isNow(b)) - Number(isNow(a)) || latestFirst(a, b),
    )[0]?.known;
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
    if (under !== undefined) return under;
    const added = this.#add(given, cause).finally(() => this.#added(directive));
    this.#adding.set(directive, added);
    return added;
  }

  /**
   * Another entry carries the directive, too: the earlier of both says when it was given, in whatever order they are heard.
   * Whoever says later again what was revoked since lets nobody in.
   */
  carriedAgain(directive: string, carriedUnixMs: number): void {
    if (this.#adding.has(directive))
      this.#carriedAgain.set(directive, Math.min(carriedUnixMs, this.#againAt(directive)));
    const known = this.#all.get(directive);
    if (known === undefined || known.carriedUnixMs <= carriedUnixMs) return;
    this.#forget(known);
    this.#take({ ...known, carriedUnixMs });
    void this.#save().catch(() => undefined);
  }

  #againAt(directive: string): number {
    return this.#carriedAgain.get(directive) ?? Infinity;
  }

  /** The operator never had the right, as it turns out. `code`: why. */
  end(directive: string, code: string): void {
    if (this.#adding.has(directive)) this.#ended.set(directive, code);
    const ended = this.#all.get(directive);
    if (ended === undefined) return;
    this.#remove(ended, code);
    void this.#save();
  }

  /** Who has left by themselves is not turned out. */
  #remove(visitor: Kept, code: string): void {
    this.#forget(visitor);
    if (this.#isToCome(visitor)) this.#recordEnd(visitor, code);
  }

  #isToCome({ visitor: { untilUnixMs } }: GivenVisitor): boolean {
    return untilUnixMs > this.deps.clock.wall().unixMs;
  }

  #recordEnd({ directive, visitor }: GivenVisitor, code: string): void {
    void this.deps.record({ name: 'visitor.ended', credentialId: visitor.id, code, detail: { directive } });
  }

  async #add(given: GivenVisitor, cause: EntryId | undefined): Promise<void> {
    const visitor = kept(given);
    const { id, fromUnixMs, untilUnixMs } = visitor.known;
    if (this.#tooMany(visitor).includes(visitor)) {
      const most = `${VISITORS_OF_ONE_MAX} visitors of ${given.by}, or ${VISITORS_MAX} of everybody,`;
      throw new SparcError('ERR_DIRECTIVE_VISITORS_MAX', `${most} stay longer`);
    }
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
    this.#take({ ...visitor, carriedUnixMs: Math.min(visitor.carriedUnixMs, this.#againAt(given.directive)) });
    for (const each of this.#tooMany()) this.#remove(each, 'ERR_DIRECTIVE_VISITORS_MAX');
    await this.#save().catch((cause: unknown) => {
      const message = 'the visitor is let in here, but the disk does not take it: a restart would forget it';
      throw new SparcError('ERR_DIRECTIVE_VISITOR_UNSAVED', message, {}, { cause });
    });
  }

  /** Beyond the bounds: the same in whatever order they come, for who leaves first makes room, also once they have left. */
  #tooMany(...more: readonly Kept[]): readonly Kept[] {
    if (this.#all.size + more.length <= VISITORS_OF_ONE_MAX) return [];
    const counts = new Map<string, number>();
    const isTooManyOfOne = ({ operator }: Kept) => {
      const count = (counts.get(operator) ?? 0) + 1;
      counts.set(operator, count);
      return count > VISITORS_OF_ONE_MAX;
    };
    const all = [...this.#all.values(), ...more].sort(longestFirst);
    const tooManyOfOne = new Set(all.filter(isTooManyOfOne));
    return [...tooManyOfOne, ...all.filter((each) => !tooManyOfOne.has(each)).slice(VISITORS_MAX)];
  }

  #added(directive: string): void {
    this.#adding.delete(directive);
    this.#carriedAgain.delete(directive);
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

  #save(): Promise<void> {
    this.#saver.changed();
    return this.#saver.save();
  }
}

/** Throws ERR_CARD_FORMAT_UNKNOWN or ERR_CARD_FIELD_RANGE. */
function kept(given: GivenVisitor): Kept {
  const { id, identifier, profiles, fromUnixMs, untilUnixMs } = given.visitor;
  const issue = 'issue' in identifier ? identifier.issue : undefined;
  const known = { id, profiles, fromUnixMs, untilUnixMs, ...(issue !== undefined && { issue }) };
  return { ...given, key: identifierKey(identifier), known };
}

const longestFirst = (a: Kept, b: Kept): number =>
  b.known.untilUnixMs - a.known.untilUnixMs || (a.directive < b.directive ? -1 : 1);

/** The same at every gateway, whatever came first. */
const latestFirst = (a: Kept, b: Kept): number =>
  b.known.fromUnixMs - a.known.fromUnixMs || (a.directive < b.directive ? -1 : 1);
